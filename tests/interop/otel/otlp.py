"""OTLP of mote with OpenTelemetry's own messages (opentelemetry-proto) and grpcio as the receiver: every field of otlp.proto is theirs,
every number that build/otlp/numbers sends arrives, and what becomes of points by each answer is what OTLP says.

usage: otlp.py NUMBERS DESCRIPTORS SENSOR [CERTIFICATE KEY CA]
"""
import concurrent.futures
import re
import subprocess
import sys
import time

import grpc
from google.protobuf import any_pb2, descriptor_pb2, duration_pb2
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs, logs_service_pb2_grpc as logs_grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics, metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.common.v1 import common_pb2 as common
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2

passed = failed = 0


def check(name, ok, *what):
    global passed, failed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print("FAIL", name, *what, flush=True)


# ---- each field has the number, the type and the name of theirs

TWINS = {
    "Request": [metrics.ExportMetricsServiceRequest, logs.ExportLogsServiceRequest],
    "ResourceItems": [metrics_pb2.ResourceMetrics, logs_pb2.ResourceLogs],
    "ScopeItems": [metrics_pb2.ScopeMetrics, logs_pb2.ScopeLogs],
    "Resource": [resource_pb2.Resource],
    "Scope": [common.InstrumentationScope],
    "KeyValue": [common.KeyValue],
    "AnyValue": [common.AnyValue],
    "Metric": [metrics_pb2.Metric],
    "Gauge": [metrics_pb2.Gauge],
    "Sum": [metrics_pb2.Sum],
    "Histogram": [metrics_pb2.Histogram],
    "NumberDataPoint": [metrics_pb2.NumberDataPoint],
    "HistogramDataPoint": [metrics_pb2.HistogramDataPoint],
    "LogRecord": [logs_pb2.LogRecord],
}
ITEMS = {"items": {"resource_metrics", "resource_logs", "scope_metrics", "scope_logs", "metrics", "log_records"}}


def same_type(message, ours, theirs):
    F = descriptor_pb2.FieldDescriptorProto
    if ours.type == F.TYPE_MESSAGE:
        return theirs.message_type in [t.DESCRIPTOR for t in TWINS[ours.type_name.rsplit(".", 1)[1]]]
    if message == "ScopeItems" and ours.name == "items":  # encoded before
        return theirs.type == F.TYPE_MESSAGE
    if ours.type == F.TYPE_INT32 and theirs.type == F.TYPE_ENUM:  # the same on the wire
        return True
    return ours.type == theirs.type


def check_descriptors(path):
    files = descriptor_pb2.FileDescriptorSet()
    files.ParseFromString(open(path, "rb").read())
    for message in files.file[0].message_type:
        check(f"{message.name} is one of theirs", message.name in TWINS)
        for twin in TWINS.get(message.name, []):
            for field in message.field:
                theirs = twin.DESCRIPTOR.fields_by_number.get(field.number)
                what = f"{message.name}.{field.name} = {field.number} of {twin.DESCRIPTOR.full_name}"
                check(what, theirs is not None and (theirs.name == field.name or theirs.name in ITEMS.get(field.name, ())) and
                      same_type(message.name, field, theirs) and (field.label == 3) == (theirs.label == 3))


# ---- a receiver, whose answers a test chooses

class Receiver:
    """Answers are (code, seconds of RetryInfo or None, rejected, text); the last one stays."""

    def __init__(self, credentials=None):
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
        metrics_grpc.add_MetricsServiceServicer_to_server(self._of(metrics.ExportMetricsServiceResponse, "rejected_data_points"), self.server)
        logs_grpc.add_LogsServiceServicer_to_server(self._of(logs.ExportLogsServiceResponse, "rejected_log_records"), self.server)
        self.port = (self.server.add_secure_port("localhost:0", credentials) if credentials
                     else self.server.add_insecure_port("localhost:0"))
        self.answers, self.got, self.times, self.fields = [], [], [], []
        self.server.start()

    def _of(self, response, rejected_field):
        receiver = self

        class Service:
            def Export(self, request, context):
                return receiver.answer(request, context, response, rejected_field)
        return Service()

    def answer(self, request, context, response, rejected_field):
        self.times.append(time.monotonic())
        self.fields.append(dict(context.invocation_metadata()))
        code, delay, rejected, text = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if code != grpc.StatusCode.OK:
            if delay is not None:
                context.set_trailing_metadata((("grpc-status-details-bin", status_bytes(code.value[0], delay)),))
            context.abort(code, text)
        self.got.append(request)
        r = response()
        if rejected or text:
            setattr(r.partial_success, rejected_field, rejected)
            r.partial_success.error_message = text
        return r


def status_bytes(code, seconds):
    """google.rpc.Status with a RetryInfo, put together by hand: Debian's grpcio has no types for them."""
    delay = duration_pb2.Duration()
    delay.FromMilliseconds(int(seconds * 1000))
    d = delay.SerializeToString()
    info = any_pb2.Any(type_url="type.googleapis.com/google.rpc.RetryInfo", value=b"\x0a" + bytes([len(d)]) + d).SerializeToString()
    return b"\x08" + bytes([code]) + b"\x12\x04busy\x1a" + bytes([len(info)]) + info


OK = (grpc.StatusCode.OK, None, 0, "")


def run(receiver, arguments, answers):
    receiver.answers, receiver.got, receiver.times, receiver.fields = list(answers), [], [], []
    out = subprocess.run([numbers, f"localhost:{receiver.port}"] + arguments, capture_output=True, text=True, timeout=60)
    return out.stdout + out.stderr


# ---- every number

KINDS = [("text", "string_value", "Küche"), ("integer", "int_value", -2**63), ("yes", "bool_value", True), ("half", "double_value", 0.5),
         ("raw", "bytes_value", b"\x00\xff\x07")]


def attributes(items):
    return [(a.key, a.value.WhichOneof("value"), getattr(a.value, a.value.WhichOneof("value"))) for a in items]


def point(p):
    return (p.start_time_unix_nano // 10**9, p.time_unix_nano // 10**9, p.WhichOneof("value"), getattr(p, p.WhichOneof("value")))


def as_rows(requests):
    rows = []
    for request in requests:
        for r in request.resource_metrics:
            check("the resource", attributes(r.resource.attributes) == [("service.name", "string_value", "numbers")])
            for s in r.scope_metrics:
                check("the scope", (s.scope.name, s.scope.version, attributes(s.scope.attributes)) == ("all", "2.1", KINDS[:1]))
                rows += [as_row(m) for m in s.metrics]
    return rows


def as_row(m):
    check(m.name, attributes(getattr(m, m.WhichOneof("data")).data_points[0].attributes) == (KINDS if m.name == "up" else []))
    about = (m.name, m.unit, m.description, m.WhichOneof("data"))
    if m.HasField("gauge"):
        return about + point(m.gauge.data_points[0])
    if m.HasField("sum"):
        return about + (m.sum.aggregation_temporality, m.sum.is_monotonic) + point(m.sum.data_points[0])
    p = m.histogram.data_points[0]
    return about + (m.histogram.aggregation_temporality, p.start_time_unix_nano // 10**9, p.time_unix_nano // 10**9, p.count, p.sum,
                    list(p.bucket_counts), list(p.explicit_bounds), p.min, p.max)


BOUNDS = [-1, 0, 0.5, 1e6]
GAUGES = [row for n, (level, extreme) in enumerate([(0.1, -2**63), (-1e308, 0), (0.1 * 3, 2**63 - 1)], 1) for row in (
    ("level", "m", "↕", "gauge", 0, n + 1, "as_double", level), ("extreme", "", "", "gauge", 0, n + 1, "as_int", extreme))]
CUMULATIVE = [("up", "{step}", "only up", "sum", 2, True, 1, 4, "as_int", 6), ("energy", "J", "", "sum", 2, True, 1, 4, "as_double", 0.75),
              ("both_ways", "", "", "sum", 2, False, 1, 4, "as_int", -6),
              ("spread", "s", "", "histogram", 2, 1, 4, 15, 0.5, [3, 6, 3, 3, 0], BOUNDS, -1, 1.5)] + GAUGES
DELTA = [("both_ways", "", "", "sum", 2, False, 1, 4, "as_int", -6)]
for n in (1, 2, 3):
    values = [i * 0.5 for i in range(-2, n + 1)]
    DELTA += [("up", "{step}", "only up", "sum", 1, True, n, n + 1, "as_int", n),
              ("energy", "J", "", "sum", 1, True, n, n + 1, "as_double", 0.125 * n)] + GAUGES[2 * n - 2:2 * n] + [
        ("spread", "s", "", "histogram", 1, n, n + 1, len(values), sum(values), [1, 2, 1, n - 1, 0], BOUNDS, min(values), max(values))]
LOGS = [(5 * 10**9, 9, "", "string_value", "grüß Gott", [], 0, b"", b"", 5 * 10**9),
        (2**64 - 1, 24, "FATAL4", "double_value", 0.5, KINDS, 1, bytes(range(16)), bytes(range(0xf0, 0xf8)), 1)]


def as_logs(requests):
    return [(l.time_unix_nano, l.severity_number, l.severity_text, l.body.WhichOneof("value"), getattr(l.body, l.body.WhichOneof("value")),
             attributes(l.attributes), l.flags, l.trace_id, l.span_id, l.observed_time_unix_nano)
            for request in requests for r in request.resource_logs for s in r.scope_logs for l in s.log_records]


def check_numbers(receiver, arguments):
    for temporality, rows, ledger in (("cumulative", CUMULATIVE, "18 = 10 + 0 + 8 + 0 + 0 + 0"), ("delta", DELTA, "18 = 16 + 0 + 2 + 0 + 0 + 0")):
        for packed in ("gzip", "plain"):
            out = run(receiver, [temporality, packed] + arguments, [OK])
            name = f"every number, {temporality}, {packed}, {'TLS' if arguments else 'in the clear'}"
            got = as_rows([r for r in receiver.got if isinstance(r, metrics.ExportMetricsServiceRequest)])
            check(name, got == rows, got, rows, out)
            check(name + ": logs", as_logs([r for r in receiver.got if isinstance(r, logs.ExportLogsServiceRequest)]) == LOGS, out)
            check(name + ": the ledger", out == f'metrics: OK SENT ""\nmetrics: {ledger}\nlogs: OK SENT ""\nlogs: 2 = 2 + 0 + 0 + 0 + 0 + 0\n', out)


# ---- each answer

def check_answers(receiver):
    C = grpc.StatusCode
    again = {C.CANCELLED, C.DEADLINE_EXCEEDED, C.ABORTED, C.OUT_OF_RANGE, C.UNAVAILABLE, C.DATA_LOSS}
    for code in C:
        if code is C.OK:
            continue
        out = run(receiver, ["cumulative", "gzip"], [(code, None, 0, "no"), OK])
        expected = (f'metrics: {code.name} LATER ""\nmetrics: OK SENT ""\nmetrics: 18 = 10 + 0 + 8 + 0 + 0 + 0\n' if code in again
                    else f'metrics: {code.name} REFUSED ""\nmetrics: 18 = 0 + 0 + 8 + 0 + 0 + 10\n')
        check(f"{code.name} is {'tried again' if code in again else 'the end'}", out.startswith(expected), out)
        if code in again:
            check(f"{code.name}: the same arrives", as_rows(receiver.got[:1]) == CUMULATIVE)
    for code in (C.RESOURCE_EXHAUSTED, C.UNAVAILABLE):
        out = run(receiver, ["cumulative", "plain"], [(code, 1.5, 0, "busy"), OK])
        check(f"{code.name} with RetryInfo is tried again", out.startswith(f'metrics: {code.name} LATER ""\nmetrics: OK SENT ""\n'), out)
        waited = receiver.times[1] - receiver.times[0]
        check(f"{code.name}: not before 1.5 s", 1.5 <= waited < 2.5, waited)
    out = run(receiver, ["delta", "gzip"], [(C.OK, None, 3, "three are bad"), OK])
    check("partial success", out.startswith('metrics: OK PARTIAL "three are bad"\nmetrics: 18 = 13 + 0 + 2 + 0 + 3 + 0\n'), out)
    check("partial success is not sent again", len(receiver.got) == 2)
    out = run(receiver, ["delta", "gzip"], [(C.OK, None, 0, "mind the gap")])
    check("a warning", 'metrics: OK SENT "mind the gap"\nmetrics: 18 = 16 + 0 + 2 + 0 + 0 + 0\n' in out, out)


# ---- a token over TLS, and the sensor that people run

def check_sensor(receiver, ca):
    receiver.answers, receiver.got, receiver.fields = [OK], [], []
    out = subprocess.run([sensor, f"--collector=localhost:{receiver.port}", "--tls", f"--ca={ca}", "--bearer=Bearer s3cret", "--samples=50",
                          "--interval=10", "--export=100", "--name=one"], capture_output=True, text=True, timeout=60)
    check("the sensor ends well", out.returncode == 0, out.stdout, out.stderr)
    check("its token", receiver.fields and all(f.get("authorization") == "Bearer s3cret" for f in receiver.fields), receiver.fields[:1])
    all_metrics = [m for r in receiver.got if isinstance(r, metrics.ExportMetricsServiceRequest) for x in r.resource_metrics
                   for s in x.scope_metrics for m in s.metrics]
    check("its samples, one by one", [m.gauge.data_points[0].as_int for m in all_metrics if m.name == "mote.sample"] == list(range(1, 51)))
    check("its counter", [m.sum.data_points[0].as_int for m in all_metrics if m.name == "mote.samples"][-1:] == [50])
    sent = int(re.search(r"^metrics: recorded \d+ = sent (\d+) ", out.stdout, re.M)[1])
    check("its ledger", len(all_metrics) == sent, out.stdout)
    clear = subprocess.run([sensor, "--bearer=Bearer s3cret"], capture_output=True, text=True, timeout=60)
    check("no token in the clear", clear.returncode == 2 and "--bearer without --tls" in clear.stderr, clear.stderr)


numbers, descriptors, sensor = sys.argv[1:4]
check_descriptors(descriptors)
clear = Receiver()
check_numbers(clear, [])
check_answers(clear)
if len(sys.argv) > 6:
    certificate, key, ca = sys.argv[4:7]
    pair = (open(key, "rb").read(), open(certificate, "rb").read())
    safe = Receiver(grpc.ssl_server_credentials([pair]))
    check_numbers(safe, [ca])
    check_sensor(safe, ca)
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)

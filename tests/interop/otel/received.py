"""What the Collector has written (debug exporter, detailed) beside the ledger of build/otlp_sensor.

usage: received.py LEDGER exactly|atleast LOG...    (the sensor's output; what the Collector got once, or may have got twice)
"""
import re
import sys

ledger, how = open(sys.argv[1], encoding="utf-8").read(), sys.argv[2]
log = "".join(open(f, encoding="utf-8", errors="replace").read() for f in sys.argv[3:])


def of(what):
    names = ("recorded", "sent", "waiting", "replaced", "dropped", "rejected", "failed")
    numbers = re.search(f"^{what}: " + r".*$", ledger, re.M)[0]
    return dict(zip(names, map(int, re.findall(r"\d+", numbers))))


points, lines = of("metrics"), of("logs")
samples = int(re.search(r"^samples (\d+)", ledger, re.M)[1])
got = re.findall(r"-> Name: (\S+)", log)
numbers = [int(n) for n in re.findall(r"-> Name: mote\.sample\n(?:.*\n)*?Value: (-?\d+)", log)]
counter = [int(n) for n in re.findall(r"-> Name: mote\.samples\n(?:.*\n)*?Value: (-?\d+)", log)]
records = len(re.findall(r"^LogRecord #", log, re.M))
gauges = [n for n in got if n in ("mote.sample", "system.load", "system.memory.usage")]
twice = len(numbers) - len(set(numbers))
delta = "AggregationTemporality: Delta" in log
errors = []


def must(what, ok, *why):
    if not ok:
        errors.append(f"{what}: {why}")


must("the ledger adds up", all(l["recorded"] == sum(v for k, v in l.items() if k != "recorded") for l in (points, lines)), points, lines)
must("nothing waits, nothing is refused", points["waiting"] + points["failed"] + points["rejected"] + lines["waiting"] == 0, points, lines)
must("the counter says all samples", (sum(counter) if delta else counter[-1]) == samples, counter[-3:])
must("no number that was never taken", set(numbers) <= set(range(1, samples + 1)), numbers)
if how == "exactly":
    must("as many points as were sent", len(got) == points["sent"], len(got), points)
    must("as many log records as were sent", records == lines["sent"], records, lines)
    must("none twice", twice == 0, twice)
else:
    must("no less than were sent", len(got) >= points["sent"] and records >= lines["sent"], len(got), records, points, lines)
if points["dropped"] == 0:
    must("every number", sorted(set(numbers)) == list(range(1, samples + 1)), numbers)
if how == "exactly":
    must("what is missing was dropped", 3 * samples - len(gauges) == points["dropped"], len(gauges), points)
print(f"samples {samples}, points {points}, log records {lines}, received {len(got)} and {records}, {twice} numbers twice")
print("\n".join(errors))
sys.exit(len(errors) > 0)

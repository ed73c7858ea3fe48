"""Calls a device over a line with noise: noisy_peer.py ADDRESS CALLS. Each call ends, in time, with the right answer or with
UNAVAILABLE, and in the end all that is asked was answered."""
import sys
import time

import device_pb2 as device
import grpc

channel = grpc.insecure_channel(sys.argv[1], options=[("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 100),
                                                      ("grpc.min_reconnect_backoff_ms", 2000)])
read = channel.unary_unary("/mote.device.Device/Read", device.Channel.SerializeToString, device.Reading.FromString)
wanted, passed, failed, again, late = None, 0, 0, 0, 0
for n in range(int(sys.argv[2])):
    number = n % 4
    for attempt in range(50):
        begin = time.time()
        try:
            answer = read(device.Channel(number=number), timeout=10, wait_for_ready=True)
            break
        except grpc.RpcError as e:
            again += 1
            late += e.code() == grpc.StatusCode.DEADLINE_EXCEEDED
            if e.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                print("FAIL", e.code(), e.details())
                failed += 1
    if answer.channel == number:
        passed += 1
    else:
        failed += 1
        print("FAIL the answer is", answer)
if late:
    failed += 1
    print("FAIL", late, "calls hung")
print(again, "calls were made again")
print(passed, "passed,", failed, "failed")

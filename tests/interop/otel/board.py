"""What the Collector has written of the firmware examples/firmware/otlp.c, beside what the board says of itself.

usage: board.py SAMPLES LOG...
"""
import re
import sys

samples = int(sys.argv[1])
log = "".join(open(f, encoding="utf-8", errors="replace").read() for f in sys.argv[2:])


def values(name, what="Value"):
    return [int(n) for n in re.findall(f"-> Name: {re.escape(name)}\n(?:.*\n)*?{what}: (-?\\d+)", log)]


numbers, stack, dropped, counter = (values(n) for n in ("mote.sample", "mote.stack", "mote.dropped", "mote.samples"))
late = values("mote.sample.late", "Count")
lost = dropped[-1] if dropped else 0
print(f"{len(numbers)} and {len(stack)} gauges, {lost} dropped, the counter {counter[-1:]}, the histogram {late[-1:]}")
ok = (counter[-1:] == [samples] and late[-1:] == [samples] and len(set(numbers)) == len(numbers) and
      set(numbers) <= set(range(1, samples + 1)) and len(numbers) + len(stack) + lost == 2 * samples and
      "device.model.name: Str(" in log and min(stack) > 100)
sys.exit(not ok)

"""What supplied.c writes, by Python's protobuf: reads it from standard input, and compares."""
import sys

import both_pb2

m = both_pb2.All(i32=-1, last=True, counts={"key": 7})
for i in range(300):
    m.i32s.append(-7 * i)
    m.reals.append(i * 0.5)
    m.s64s.append(-i if i % 2 else i << 33)
    m.texts.append("text %d" % (i % 10))
    m.points.add(x=i - 5, y=i << 20, z=0.25)
sys.exit(sys.stdin.buffer.read() != m.SerializeToString())

"""Random messages of both.proto, for beside_nanopb."""
import random
import struct
import sys

import both_pb2
from randomly import fill

random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
for _ in range(3000):
    message = both_pb2.All()
    fill(message)
    data = message.SerializeToString(deterministic=True)
    sys.stdout.buffer.write(struct.pack("<I", len(data)) + data)

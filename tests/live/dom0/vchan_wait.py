"""A client that says when it is connected, and then what ends its waiting for bytes."""

import sys

import vchan

with vchan.connect(int(sys.argv[1]), sys.argv[2]) as stream:
    print("connected", flush=True)
    print(stream.receive())

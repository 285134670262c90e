"""A server that takes what comes once, and ends without an answer: leaving.py DOMAIN PATH"""

import sys

import vchan

with vchan.serve(int(sys.argv[1]), sys.argv[2]) as stream:
    print("waiting for a client", file=sys.stderr, flush=True)
    stream.receive()

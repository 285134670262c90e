"""What `xenbind decode` takes for an event, in each of its formats.

Takes the requests of a real hypervisor in tests/data, over and over again with other numbers in
their registers; prints microseconds of processor time per event, of whole processes without their
start.  With `--beside FOLDER` the xenbind of another checkout takes turns.

    python benchmarks/decode.py
    python benchmarks/decode.py -n 1000000 --beside ../older
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from machine import PROJECT, print_machine

FORMATS = {
    "text": [],
    "JSON lines": ["--json"],
    "Arrow": ["--format", "arrow", "--output", "table"],
    "Parquet": ["--format", "parquet", "--output", "table"],
}
REGISTERS = range(56, 200, 8)  # bytes in a request that are other numbers each time
RUNS = 3


def main() -> None:
    parser = argparse.ArgumentParser(description="the speed of decode")
    parser.add_argument("-n", "--events", type=int, default=1_000_000)
    parser.add_argument("--beside", type=Path, help="another checkout")
    options = parser.parse_args()
    print_machine(("xenbind", "pyarrow", "numpy"))
    projects = [PROJECT, *([options.beside.resolve()] if options.beside else [])]
    with tempfile.TemporaryDirectory() as folder:
        one, many = Path(folder, "one"), Path(folder, "many")
        count = record(many, options.events) - record(one, 1)
        print(
            f"\nµs of processor time per event, the least of {RUNS} runs, in turns:\n"
        )
        for name, arguments in FORMATS.items():
            costs = [
                [
                    cost(project, arguments, many) - cost(project, arguments, one)
                    for project in projects
                ]
                for _ in range(RUNS)
            ]
            least = [1e6 * min(found) / count for found in zip(*costs, strict=True)]
            print(f"{name:10}", *(f"{each:8.2f}" for each in least), flush=True)


def record(path: Path, events: int) -> int:
    """Write a recording of at least so many events; gives how many."""
    lines = (PROJECT / "tests" / "data" / "requests-v7.jsonl").read_text().splitlines()
    requests = [bytearray.fromhex(json.loads(line)["request"]) for line in lines]
    dice = random.Random(1)
    rounds = -(-events // len(requests))
    with path.open("wb") as file:
        for _ in range(rounds):
            for request in requests:
                place = dice.choice(REGISTERS)
                request[place : place + 8] = dice.randbytes(8)
                file.write(request)
    return rounds * len(requests)


def cost(project: Path, arguments: list[str], recording: Path) -> float:
    """Give the processor time, in seconds, that decoding a recording takes."""
    before = os.times()
    subprocess.run(
        [sys.executable, "-m", "xenbind", "decode", str(recording), *arguments],
        cwd=recording.parent,
        env={**os.environ, "PYTHONPATH": str(project / "codegen")},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = os.times()
    return (
        after.children_user
        - before.children_user
        + after.children_system
        - before.children_system
    )


if __name__ == "__main__":
    main()

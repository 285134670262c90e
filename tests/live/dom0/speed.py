"""What happens in dom0 for speed: Xen's own monitor in C and the package's, in turns.

Each turn is one line of JSON on the results port: how many events a second were answered, by
what the monitor had written at two moments, and how many microseconds of an event Linux had the
monitor run meanwhile: in its own code and in Linux's, that it called.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from scenario import ARM, HERE, OWN, Process, create, report

TURNS = 7
SECONDS = 6.0
WARM = 2.0  # seconds after the first event
PATIENCE = 100.0

# The same event by xen-access's name and ours.
MODE, EVENT = ("privcall", "privileged_call") if ARM else ("cpuid", "cpuid")


def lines(written: str) -> int:
    return written.count("\n")


def last_number(written: str) -> int:
    """Of whole lines with a number on each."""
    return int(written.rpartition("\n")[0].rpartition("\n")[2] or 0)


def run_so_far(process: int) -> tuple[float, float]:
    """Seconds that a process has run, by Linux's clock, and the part of its own code in that."""
    nanoseconds = Path(f"/proc/{process}/schedstat").read_text().split()[0]
    times = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    user, system = int(times[11]), int(times[12])  # of proc(5): 14 and 15
    return int(nanoseconds) / 1e9, user / max(user + system, 1)


def events_a_second(
    command: tuple[str, ...], counted: Callable[[str], int]
) -> dict[str, float]:
    """Let a monitor run for a while, and then end it; its rate is 0 if it answered nothing."""
    running = Process(*command)
    begin = time.monotonic()
    while not counted(running.out.read_text()):
        if running.process.poll() is not None or time.monotonic() > begin + PATIENCE:
            return {"rate": 0.0, "own": 0.0, "linux": 0.0}
        time.sleep(0.2)
    time.sleep(WARM)
    moments = []
    for wait in (0.0, SECONDS):
        time.sleep(wait)
        run, share = run_so_far(running.process.pid)
        moments.append((time.monotonic(), counted(running.out.read_text()), run, share))
    running.process.send_signal(signal.SIGINT)
    running.process.wait(PATIENCE)
    (start, before, run_before, _), (end, after, run_after, share) = moments
    events = max(after - before, 1)
    run = (run_after - run_before) / events * 1e6
    return {
        "rate": (after - before) / (end - start),
        "own": run * share,
        "linux": run * (1 - share),
    }


def main() -> None:
    guest = create("guest")
    subprocess.run(["xl", "unpause", "guest"], check=True)
    contestants = {
        "xen-access": (("xen-access", guest, MODE), lines),
        "printing": (("python3", "monitor.py", guest, "--events", EVENT), lines),
        "silent": ((*OWN, "/own/silent.py", guest, EVENT), last_number),
    }
    for turn in range(1, TURNS + 1):
        for name, (command, counted) in contestants.items():
            found = events_a_second(command, counted)
            report(f"{name} {turn}", status=0, stdout=json.dumps(found))
    report("end", status=0)


if __name__ == "__main__":
    os.chdir(HERE)
    main()

"""What happens in dom0 for speed: Xen's own monitor in C and the package's, in turns.

Each turn is one line of JSON on the results port: how many events a second were answered, by
what the monitor had written at two moments.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

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


def events_a_second(command: tuple[str, ...], counted: Callable[[str], int]) -> float:
    """Let a monitor run for a while, and then end it; 0 if it answered nothing."""
    running = Process(*command)
    begin = time.monotonic()
    while not counted(running.out.read_text()):
        if running.process.poll() is not None or time.monotonic() > begin + PATIENCE:
            break
        time.sleep(0.2)
    time.sleep(WARM)
    moments = []
    for wait in (0.0, SECONDS):
        time.sleep(wait)
        moments.append((time.monotonic(), counted(running.out.read_text())))
    running.process.send_signal(signal.SIGINT)
    running.process.wait(PATIENCE)
    (start, before), (end, after) = moments
    return (after - before) / (end - start)


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
            rate = events_a_second(command, counted)
            report(f"{name} {turn}", status=0, stdout=f"{rate}")
    report("end", status=0)


if __name__ == "__main__":
    os.chdir(HERE)
    main()

"""What happens in dom0: guests and monitors, one step after the other.

Each step that ended is one line of JSON on the results port, and the host says whether it is
what should have happened; nothing is judged here.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

HERE = Path("/live")
RESULTS = Path("/dev/ttyS0")  # the only port that Xen leaves to dom0
PATIENCE = 100  # seconds that a command may take on a busy machine

ARM = os.uname().machine == "aarch64"
# All that happens in a round of the guest, but for what takes a run of its own.
ROUND = (
    ("guest_request", "privileged_call")
    if ARM
    else (
        *("write_ctrlreg:cr4", "write_ctrlreg:cr3", "guest_request"),
        *("mov_to_msr:0x174", "mov_to_msr:0xc0000082", "cpuid", "debug_exception"),
    )
)
EVENTS = ("--events", ",".join(ROUND))
MONITOR = ("python3", "monitor.py")
VARIANT = ("python3", "variants.py")
RECORDING = Path("/tmp/recording")

# With what is installed alone: -I leaves out the folder that it is in, and the environment.
OWN = ("python3", "-I")

GUEST = """\
name = "{name}"
type = "pvh"
kernel = "guest"
memory = 32
vcpus = 1
cpus = "{cpu}"
"""
# Apart from dom0's: on x86, programs in dom0 crashed where two guests took turns with it on a CPU.
GUESTS_CPU = 0 if ARM else 1


def report(step: str, **what: Any) -> None:
    with RESULTS.open("w") as port:
        port.write(json.dumps({"step": step, **what}) + "\n")


class Process:
    """A command that runs meanwhile; its output is kept in files, so that it never waits."""

    def __init__(self, *command: str) -> None:
        self.out, self.err = Path("/tmp/out"), Path("/tmp/err")
        with self.out.open("w") as out, self.err.open("w") as err:
            self.process = subprocess.Popen(command, stdout=out, stderr=err, text=True)

    def wait_for(self, text: str) -> None:
        """Return once it has said so on stderr, or has ended."""
        while text not in self.err.read_text() and self.process.poll() is None:
            time.sleep(0.05)

    def wait_for_events(self, count: int) -> None:
        """Return once it has printed as many lines, or has ended."""
        while self.out.read_text().count("\n") < count and self.process.poll() is None:
            time.sleep(0.05)

    def report(self, step: str) -> None:
        """Report the step when the command has ended."""
        try:
            status: int | str = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = f"killed after {PATIENCE} s"
        recording = RECORDING.read_bytes() if RECORDING.exists() else b""
        RECORDING.unlink(missing_ok=True)
        report(
            step,
            status=status,
            stdout=self.out.read_text(),
            stderr=self.err.read_text(),
            recording=base64.b64encode(recording).decode(),
        )


def run(step: str, *command: str) -> None:
    Process(*command).report(step)


def report_console(step: str, text: str) -> None:
    """Report Xen's console once the guest has said something there."""
    for _ in range(PATIENCE):
        said = subprocess.check_output(["xl", "dmesg"], text=True)
        if text in said:
            break
        time.sleep(1)
    report(step, status=0, stdout=said)


def create(name: str) -> str:
    """Create a guest, which does not run yet, and give its number."""
    Path(f"{name}.cfg").write_text(GUEST.format(name=name, cpu=GUESTS_CPU))
    run(f"create {name}", "xl", "create", "-p", f"{name}.cfg")
    return subprocess.check_output(["xl", "domid", name], text=True).strip()


def main() -> None:
    guest = create("guest")

    # From its first instruction on, and with another monitor that would like to.
    first = Process(
        *(*MONITOR, guest, *EVENTS),
        *("--count", str(10 * len(ROUND)), "--record", str(RECORDING)),
    )
    first.wait_for("watching")
    other = subprocess.run(
        [*MONITOR, guest], capture_output=True, text=True, check=False
    )
    report(
        "second monitor",
        status=other.returncode,
        stdout=other.stdout,
        stderr=other.stderr,
    )
    subprocess.run(["xl", "unpause", "guest"], check=True)
    first.report("events")

    if not ARM:
        run(
            "descriptors",
            *(*MONITOR, guest, "--events", "descriptor_access", "--json"),
            *("--count", "30", "--record", str(RECORDING)),
        )

    if ARM:
        for step in ("pages", "everything", "pages left"):
            run(f"access: {step}", "python3", "access_steps.py", step, guest)
        run("after access", *MONITOR, guest, *EVENTS, "--count", "20")

    # Wherever it leaves, it loses nothing of what the guest does.
    for events in range(1, len(ROUND) + 1):
        run(f"leave after {events}", *MONITOR, guest, *EVENTS, "--count", str(events))
    run("left nothing behind", *MONITOR, guest, *EVENTS, "--count", "20")

    for step, number in (("Ctrl-C", signal.SIGINT), ("SIGTERM", signal.SIGTERM)):
        process = Process(*MONITOR, guest, *EVENTS)
        process.wait_for_events(10)
        process.process.send_signal(number)
        process.report(step)
        run(f"after {step}", *MONITOR, guest, *EVENTS, "--count", "20")

    run("failing handler", *VARIANT, "fail", guest, *EVENTS)
    run("after failing handler", *MONITOR, guest, *EVENTS, "--count", "20")

    run("other version", *VARIANT, "version-6", guest, *EVENTS)
    run("after other version", *MONITOR, guest, *EVENTS, "--count", "20")

    killed = Process(*VARIANT, "stall", guest, *EVENTS)
    killed.wait_for("stalled")
    killed.process.kill()
    killed.report("SIGKILL")
    run("after SIGKILL", *MONITOR, guest, *EVENTS)
    run("recover", *MONITOR, guest, "--recover")
    run("after recover", *MONITOR, guest, *EVENTS, "--count", "20")

    run("no such domain", *MONITOR, "77")
    run("dom0 itself", *MONITOR, "0")
    run("no root", *VARIANT, "nobody", guest)
    run("no such event", *MONITOR, guest, "--events", "nonsense")
    run("unknown version", *VARIANT, "version-99", guest)
    unsupported = "cpuid" if ARM else "privileged_call"
    run("unsupported event", *MONITOR, guest, "--events", unsupported)

    if not ARM:
        run("pause", *VARIANT, "pause", guest, "--events", "cpuid", "--count", "1")
        subprocess.run(["xl", "unpause", "guest"], check=False)  # if nobody waited
        run("after pause", *MONITOR, guest, *EVENTS, "--count", "20")
        run("cpuid", *VARIANT, "cpuid", guest, "--events", "cpuid", "--count", "5")
        report_console("console", "guest: cpuid 00000000")

    second = create("second")
    together = Process(*OWN, "/own/two_guests.py", guest, second, *ROUND)
    together.wait_for("watching")
    subprocess.run(["xl", "unpause", "second"], check=True)
    together.report("two guests")
    for name, domain in (("two guests", guest), ("two guests, second", second)):
        run(f"after {name}", *MONITOR, domain, *EVENTS, "--count", "20")

    subprocess.run(["python3", "public.py"], check=True)

    watching = Process(*MONITOR, guest, *EVENTS)
    watching.wait_for_events(10)
    subprocess.run(["xl", "destroy", "guest"], check=True)
    watching.report("guest dies")
    run("domains", "xl", "list")
    report("end", status=0)


if __name__ == "__main__":
    os.chdir(HERE)
    main()

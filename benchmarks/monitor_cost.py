"""How many instructions an event takes a monitor: those of `make bench-live`, without its noise.

Runs both on a ring that is fed as fast as they answer, under valgrind, which counts exactly; what
Linux and Xen do is not counted.  Takes a C compiler and valgrind with its headers; with
`--beside FOLDER` the package of another checkout is counted, too.

    python benchmarks/monitor_cost.py
    python benchmarks/monitor_cost.py --python /usr/bin/python3 --beside ../older
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import runpy
import subprocess
import sys
import tempfile
from fcntl import ioctl
from pathlib import Path
from typing import Any
from unittest.mock import patch

PROJECT = Path(__file__).resolve().parents[1]
EVENTS = 1000
MONITORS = {
    "silent": "tests/live/dom0/own/silent.py",
    "printing": "examples/monitor.py",
}
KINDS = {"arm64": "privileged_call", "x86_64": "cpuid"}
RELEASE = "4.17"


def main() -> None:
    parser = argparse.ArgumentParser(description="instructions of an event")
    parser.add_argument("--beside", type=Path, help="another checkout")
    parser.add_argument("--python", default=sys.executable, help="what runs them")
    options = parser.parse_args()
    projects = [PROJECT, *([options.beside.resolve()] if options.beside else [])]
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "feed.so")
        source = PROJECT / "benchmarks" / "monitor_cost.c"
        compiled = ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(source)]
        subprocess.run(compiled, check=True)
        for name in MONITORS:
            for architecture in KINDS:
                counts = [
                    counted(options.python, library, name, architecture, project)
                    for project in projects
                ]
                print(f"{name:9} {architecture:7}", *counts, flush=True)


def counted(python: str, library: Path, *arguments: str | Path) -> int:
    """Give the instructions of an event, with the few of who feeds the ring."""
    command = ["valgrind", "--tool=callgrind", "--instr-atstart=no"]
    command += [
        f"--callgrind-out-file={library.parent / 'out'}",
        python,
        "-B",
        __file__,
    ]
    result = subprocess.run(
        [*command, "--run", str(library), *map(str, arguments)],
        env={**os.environ, "LD_PRELOAD": str(library), "PYTHONHASHSEED": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    found = re.search(r"Collected : (\d+)", result.stderr)
    if found is None or not int(found[1]):
        sys.exit(result.stderr)
    return int(found[1]) // EVENTS


def run(library: str, name: str, architecture: str, project: str) -> None:
    """Run a monitor of a project, as on a machine of this architecture."""
    sys.path.insert(0, f"{project}/generated")
    machine = "aarch64" if architecture == "arm64" else architecture
    with patch("os.uname", return_value=os.uname_result(("", "", "", "", machine))):
        from xen_vm_event.monitor import channel
        from xen_vm_event.testing.playing import played
        from xen_vm_event.xenevtchn import v1 as libxenevtchn

        begin, kept = channel.Channel.__init__, list[object]()
        number = os.open("/dev/null", os.O_RDWR)
        real: dict[str, Any] = {"ioctl": ioctl}
        real |= {name: getattr(channel, name) for name in ("polling", "sleeping")}

        def fed(own: Any, xen: Any, *given: Any) -> None:
            begin(own, xen, *given)
            kept.append(
                feed(library, number, own.page, xen.vm_event(), KINDS[architecture])
            )

        with played(RELEASE, architecture, strict=False) as xen:
            domain = str(min(xen.guests))
            event = KINDS[architecture]
            options = (
                [domain, event] if name == "silent" else [domain, "--events", event]
            )
            program = f"{project}/{MONITORS[name]}"
            with (
                patch.object(channel.Channel, "__init__", fed),
                patch.object(libxenevtchn, "xenevtchn_fd", lambda _: number),
                patch.multiple(channel, **real),
                patch("sys.argv", [program, *options]),
                real_words(),
            ):
                runpy.run_path(program, run_name="__main__")


def real_words() -> Any:
    """Have nobody look at what is written to the ring's page."""
    from xen_vm_event.testing import playing

    return patch.object(playing, "Words", lambda words, _: words)


def feed(library: str, number: int, page: Any, module: Any, event: str) -> object:
    """Have requests come to a channel's page, from a file of ours that is in its place.

    Gives the request, which is to be kept as long as they come.
    """
    version = module.VM_EVENT_INTERFACE_VERSION
    reason = module.VmEventReason[event.upper()]
    request = module.vm_event_st(version=version, reason=reason, flags=1)
    ring = module.BackRing
    entry = ring.entry()
    entry.req = request
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    size = ctypes.sizeof(entry)
    entries = 1 << ((len(page) - ring.first_entry) // size).bit_length() - 1
    ctypes.CDLL(library).feed(
        *(number, ctypes.c_void_p(address), ctypes.c_ulong(ring.first_entry)),
        *(ctypes.c_ulong(size), ctypes.c_ulong(entries), ctypes.byref(entry)),
        ctypes.c_long(EVENTS),
    )
    return entry


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run(*sys.argv[2:])
    else:
        main()

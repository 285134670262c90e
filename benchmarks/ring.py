"""Speed of a monitor's ring beside other bindings: the same work, the same minutes.

Takes the peers on this machine; prints nanoseconds per event and the ratios that xenbind
is held to. The work is that of `ring_monitors`: take a request as RING_COPY_REQUEST does,
read ten of its members, answer it, and publish when the ring is drained, with the final
check and its barrier. Three settings:

- in process: requests that are there, as many as the ring holds at a time;
- ring full: the other side is a process in C (`ring_producer.c`, ring.h's own macros on
  shared memory) that keeps the ring full, and holds each response against the request;
- one at a time: the same, with one request on its way.

In the end a recording of requests is decoded. Contestants take turns; only ratios travel.
The peers go into an environment of their own:

    python -m venv bench && bench/bin/pip install -e '.[bench]'
    bench/bin/python benchmarks/ring.py
"""

from __future__ import annotations

import argparse
import ctypes
import importlib
import mmap
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from machine import PROJECT, Failed, print_machine, tool

sys.path.insert(0, str(PROJECT / "generated"))

import numpy
from ring_monitors import (
    ENTRIES,
    PATHS,
    U32,
    Cffi,
    Ctypes,
    CtypesCopies,
    Dissect,
    Natural,
    Select,
)
from xen_vm_event import column, dtype, projection, records, v7

PAGE_SIZE = 4096
SIZE = ctypes.sizeof(v7.vm_event_st)
PEERS = ("ctypesgen", "ctypeslib2", "cffi", "dissect.cstruct", "numpy")

NATURAL = "xenbind, whole requests by name"
SELECT = "xenbind, select()"
CTYPESGEN = "ctypesgen's classes"
COPIES = "ctypesgen's classes, from_buffer_copy"
C = "C, ring.h itself"
DISSECT = "dissect.cstruct"
SETTINGS = ("in process", "ring full", "one at a time")
TARGETS = ((NATURAL, 0.30), (SELECT, 0.20))  # of CTYPESGEN, ring full


class Monitor(Protocol):
    def drain(self) -> int: ...


class Shared:
    """A page that two processes map, with a fresh ring in it each time."""

    def __init__(self) -> None:
        self.fd = os.memfd_create("ring")
        os.ftruncate(self.fd, PAGE_SIZE)
        self.page = mmap.mmap(self.fd, PAGE_SIZE)
        self.words = memoryview(self.page).cast("I")

    def reset(self) -> None:
        self.page[:64] = bytes(64)
        self.words[1] = self.words[3] = 1
        for entry in range(64, 64 + ENTRIES * SIZE, SIZE):
            self.words[entry // 4] = v7.VM_EVENT_INTERFACE_VERSION


class Settings:
    """The three settings, in each of which a monitor handles `count` events."""

    def __init__(self, program: Path) -> None:
        self.program = program
        self.count = 0
        self.shared = Shared()

    def python(
        self, make: Callable[[mmap.mmap], Monitor], setting: str, count: int
    ) -> float:
        """Nanoseconds per event of a monitor in Python."""
        self.count = count
        self.shared.reset()
        monitor = make(self.shared.page)
        if setting == "in process":
            return self.in_process(monitor)
        pending = 1 if setting == "one at a time" else ENTRIES
        with self.run("produce", str(pending)) as producer:
            answered = turns = 0
            while answered < self.count:
                before, answered = answered, monitor.drain()
                if answered == before:
                    os.sched_yield()
                    turns += 1
                    if turns % 65536 == 0 and producer.poll() is not None:
                        raise Failed("the producer ended too soon")
            return self.result(producer)

    def in_process(self, monitor: Monitor) -> float:
        words, produced = self.shared.words, 0
        start = time.perf_counter_ns()
        for _ in range(self.count // ENTRIES):
            produced = (produced + ENTRIES) & U32
            words[0] = produced
            monitor.drain()
        return (time.perf_counter_ns() - start) / produced

    def c(self, setting: str, count: int) -> float:
        """Nanoseconds per event of the monitor in C."""
        self.count = count
        self.shared.reset()
        if setting == "in process":
            with self.run("alone") as process:
                return self.result(process)
        pending = 1 if setting == "one at a time" else ENTRIES
        with self.run("produce", str(pending)) as producer, self.run("consume"):
            return self.result(producer)

    def run(self, role: str, *more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.program), role, str(self.shared.fd), str(self.count), *more],
            pass_fds=[self.shared.fd],
            stdout=subprocess.PIPE,
            text=True,
        )

    def result(self, process: subprocess.Popen[str]) -> float:
        nanoseconds, _ = process.communicate()
        if process.returncode:
            raise Failed(f"{self.program.name} ended with {process.returncode}")
        return int(nanoseconds) / self.count


def main() -> None:
    parser = argparse.ArgumentParser(description="xenbind's rings beside its peers")
    parser.add_argument("-n", "--runs", type=int, default=7, help="default: 7")
    parser.add_argument("--events", type=int, default=80_000, help="default: 80000")
    parser.add_argument("--recorded", type=int, default=400_000, help="default: 400000")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="xenbind-bench-") as name:
        try:
            bench(Path(name), options.runs, options.events, options.recorded)
        except Failed as error:
            sys.exit(f"{error}\nSee the docstring of {Path(__file__).name} for set-up.")


def bench(work: Path, runs: int, events: int, recorded: int) -> None:
    print_machine(PEERS)
    print(f"medians of {runs} runs, taken in turns\n")
    settings = Settings(compile_producer(work))
    module = by_ctypesgen(work)
    monitors: dict[str, Callable[[mmap.mmap], Monitor]] = {
        CTYPESGEN: lambda page: Ctypes(page, module),
        COPIES: lambda page: CtypesCopies(page, module),
        NATURAL: Natural,
        SELECT: Select,
    }
    optional(monitors, "ctypeslib2's classes", by_clang2py, work, Ctypes)
    optional(monitors, "cffi", by_cffi, work, Cffi)
    optional(monitors, DISSECT, by_dissect, work, Dissect)
    taken: dict[str, dict[str, list[float]]] = {}
    for _ in range(runs):
        for setting in SETTINGS:
            for monitor, make in monitors.items():
                add(
                    taken,
                    monitor,
                    setting,
                    settings.python(make, setting, few(monitor, events)),
                )
            add(taken, C, setting, settings.c(setting, events))
    print_rings(taken, events)
    print_recording(decoders(module, recorded), runs, recorded)
    print_targets(taken)


def few(monitor: str, events: int) -> int:
    """How many events a contestant gets: as many as take no more than seconds."""
    return (
        max(ENTRIES, events // 80 // ENTRIES * ENTRIES)
        if monitor == DISSECT
        else events
    )


def add(
    taken: dict[str, dict[str, list[float]]], who: str, setting: str, value: float
) -> None:
    taken.setdefault(who, {}).setdefault(setting, []).append(value)


def optional(
    monitors: dict[str, Callable[[mmap.mmap], Monitor]],
    name: str,
    prepare: Callable[[Path], Any],
    work: Path,
    monitor: Callable[[mmap.mmap, Any], Monitor],
) -> None:
    """Enter a contestant that this machine may lack, with a note if it does."""
    try:
        types = prepare(work)
    except (Failed, ImportError) as reason:
        print(f"skipped: {name}: {reason}\n")
    else:
        monitors[name] = lambda page: monitor(page, types)


# --- the peers ---------------------------------------------------------------------------


def compile_producer(work: Path) -> Path:
    program = work / "ring_producer"
    source = PROJECT / "benchmarks" / "ring_producer.c"
    run(["gcc", "-std=gnu11", "-O2", *include(), str(source), "-o", str(program)])
    return program


def include() -> list[str]:
    headers = PROJECT / "headers"
    return ["-iquote", str(headers), "-iquote", str(header().parent)]


def header() -> Path:
    return PROJECT / "headers" / "4.19" / "vm_event.h"


def by_ctypesgen(work: Path) -> Any:
    cpp = f"gcc -E -D__XEN_TOOLS__ -include stdint.h {' '.join(include())}"
    files = [str(header()), str(PROJECT / "headers" / "io" / "ring.h")]
    target = work / "by_ctypesgen.py"
    run([tool("ctypesgen"), "--cpp", cpp, *files, "-o", str(target)])
    return imported(target)


def by_clang2py(work: Path) -> Any:
    arguments = f"-D__XEN_TOOLS__ -include stdint.h {' '.join(include())}"
    target = work / "by_clang2py.py"
    command = [tool("clang2py"), "-k", "cdefstum", f"--clang-args={arguments}"]
    run([*command, str(header()), "-o", str(target)])
    return imported(target)


def imported(path: Path) -> Any:
    sys.path.insert(0, str(path.parent))
    return importlib.import_module(path.stem)


def by_cffi(work: Path) -> Any:
    import cffi

    ffi = cffi.FFI()
    ffi.cdef(declarations())
    return ffi


def by_dissect(work: Path) -> Any:
    """The request's type, in which dissect.cstruct gets what it can parse.

    It takes no union inside a union: of an inner one, the first member is left.
    """
    from dissect.cstruct import cstruct

    text = declarations().partition("union vm_event_sring_entry")[0]
    text = re.sub(r"\n {8,}union \{\s*([^;{}]*;)[^{}]*\}", r"\n struct { \1 }", text)
    text = re.sub(r"union \{(\s*struct \{[^{}]*\} \w+;\s*\} arch)", r"struct {\1", text)
    found = cstruct().load(text).vm_event_request_t
    if len(found) != SIZE:
        raise Failed(f"a request of {len(found)} bytes")
    return found


def declarations() -> str:
    """The preprocessed header, its one computed array length written out."""
    command = ["gcc", "-E", "-P", "-D__XEN_TOOLS__", *include(), str(header())]
    length = ctypes.sizeof(v7.vm_event_regs_x86) - 4
    return re.sub(r"\[sizeof\(struct \w+\) - [^]]*\]", f"[{length}]", run(command))


def run(command: list[str]) -> str:
    try:
        process = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Failed(f"{command[0]} is not installed") from None
    if process.returncode:
        raise Failed(f"{command[0]} failed: {process.stderr.strip()[-200:]}")
    return process.stdout


# --- a recording --------------------------------------------------------------------------


def decoders(module: Any, count: int) -> dict[str, Callable[[], object]]:
    """Ways to read the ten members of `count` requests one after another in memory."""
    request = v7.vm_event_st(version=7, reason=1, flags=1)
    request.u.mem_access.gfn = 0x1234
    recording = bytes(request) * count

    def rows(events: Iterable[Any]) -> list[tuple[Any, ...]]:
        found = []
        for event in events:
            access, regs = event.u.mem_access, event.data.regs.x86
            found.append(
                (
                    *(event.version, event.flags, event.reason, event.vcpu_id),
                    *(access.gfn, access.gla, access.flags),
                    *(regs.rip, regs.cr3, regs.rsp),
                )
            )
        return found

    def copies(record: Any) -> Iterator[Any]:
        for start in range(0, len(recording), SIZE):
            yield record.from_buffer_copy(recording, start)

    def projected() -> list[tuple[Any, ...]]:
        read = projection(v7.vm_event_st, *PATHS)
        return [read(recording, start) for start in range(0, len(recording), SIZE)]

    def columns() -> list[Any]:
        events = numpy.frombuffer(recording, dtype(v7.vm_event_st))
        return [column(events, v7.vm_event_st, path).copy() for path in PATHS]

    return {
        CTYPESGEN: lambda: rows(copies(module.struct_vm_event_st)),
        "xenbind, records()": lambda: rows(records(v7.vm_event_st, recording)),
        "xenbind, projection()": projected,
        "xenbind, numpy columns": columns,
    }


# --- what is printed ------------------------------------------------------------------------


def print_rings(taken: dict[str, dict[str, list[float]]], events: int) -> None:
    title = f"{events} events, ns for each (ratio)"
    print(f"{title:<40}" + "".join(f"{setting:>20}" for setting in SETTINGS))
    for who, times in taken.items():
        cells = []
        for setting in SETTINGS:
            median = statistics.median(times[setting])
            base = statistics.median(taken[CTYPESGEN][setting])
            cells.append(f"{median:>12.0f} ({median / base:.3f})")
        print(f"{who:<40}" + "".join(f"{cell:>20}" for cell in cells))
    print()


def print_recording(
    ways: dict[str, Callable[[], object]], runs: int, count: int
) -> None:
    times: dict[str, list[float]] = {}
    for _ in range(min(runs, 3)):  # each takes its second
        for name, decode in ways.items():
            start = time.perf_counter_ns()
            decode()
            taken = (time.perf_counter_ns() - start) / count
            times.setdefault(name, []).append(taken)
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"a recording of {count} requests, ns for each (ratio)")
    for name, median in medians.items():
        print(f"{name:<40}{median:>12.0f} ({median / medians[CTYPESGEN]:.3f})")
    print()


def print_targets(taken: dict[str, dict[str, list[float]]]) -> None:
    print("targets")
    base = statistics.median(taken[CTYPESGEN]["ring full"])
    for who, ratio in TARGETS:
        reached = statistics.median(taken[who]["ring full"]) / base
        verdict = "met   " if reached <= ratio else "MISSED"
        print(f"  {verdict}   {who} <= {ratio:.2f} x {CTYPESGEN}: {reached:.3f}")


if __name__ == "__main__":
    main()

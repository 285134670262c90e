"""Recorded requests as bytes: from a file of any known form to one request after another.

Takes a binary stream; gives `Raw` requests, each with its place, for `decode`. The forms:

- raw: requests one after another, each as long as its version says;
- page: a dump of a 4096-byte ring page, whose indices say which entries are live;
- jsonl: a JSON object a line, with a request in hexadecimal.

No request's size divides 4096, so that 4096 bytes are a page and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BufferedReader, BytesIO

from .errors import XenbindError
from .ir import Interface, Record

PAGE = 4096
_CHUNK = 1 << 20
_HEAD = 16  # what is looked at to tell a request from noise
_KNOWN_VERSIONS = "the version word must be that of an interface version in the spec"


class DecodeError(XenbindError):
    """Bytes that are no request, and where: `position` counts bytes from the start."""

    def __init__(self, name: str, position: int, message: str, advice: str) -> None:
        super().__init__(f"{name}: byte {position}: {message}", advice)
        self.position = position


@dataclass(frozen=True, slots=True)
class Raw:
    """The bytes of one request, where they began, and the interface they are of."""

    position: int
    data: bytes
    interface: Interface


# Gives the interface of a version number, None if there is none.
Interfaces = Callable[[int], Interface | None]
Report = Callable[[DecodeError], None]
Stream = BufferedReader | BytesIO


def read(
    stream: Stream, name: str, interfaces: Interfaces, form: str, report: Report
) -> Iterator[Raw]:
    """The requests in a stream, in order; `form` is raw, page, jsonl or auto.

    What is no request is handed to `report` as a `DecodeError`; if that returns, reading
    goes on behind it. Memory stays bounded for streams of any length.
    """
    start = b"" if form in ("raw", "jsonl") else stream.read(PAGE + 1)
    if form == "auto":
        first = start.lstrip()[:1]
        form = "jsonl" if first == b"{" else "page" if len(start) == PAGE else "raw"
    reader = _Reader(name, interfaces, report)
    if form == "jsonl":
        yield from reader.lines(_Window(stream, start))
    elif form == "page":
        yield from reader.page(start)
    else:
        yield from reader.requests(_Window(stream, start))


class _Window:
    """A stretch of a stream: filled as it is asked for, emptied as it is used."""

    def __init__(self, stream: Stream, start: bytes) -> None:
        self.stream = stream
        self.data = start
        self.at = 0  # the place in `data`
        self.position = 0  # the place in the stream

    def peek(self, size: int) -> bytes:
        """The next bytes, fewer at the end of the stream."""
        if len(self.data) - self.at < size:
            self.data = self.data[self.at :]
            self.at = 0
            # read1 gives what there is, so that a live stream is shown as it comes.
            while len(self.data) < size and (more := self.stream.read1(_CHUNK)):
                self.data += more
        return self.data[self.at : self.at + size]

    def skip(self, size: int) -> None:
        self.at += size
        self.position += size

    def line(self) -> bytes:
        """The next line with its end, empty at the end of the stream."""
        size = 4096
        while b"\n" not in self.peek(size) and len(self.peek(size)) == size:
            size *= 2
        line = self.peek(size).split(b"\n", 1)[0]
        return self.peek(len(line) + 1)


class _Reader:
    def __init__(self, name: str, interfaces: Interfaces, report: Report) -> None:
        self.name = name
        self.interfaces = interfaces
        self.report = report

    def fail(self, position: int, message: str, advice: str) -> None:
        self.report(DecodeError(self.name, position, message, advice))

    def requests(self, window: _Window) -> Iterator[Raw]:
        while head := window.peek(4):
            interface = self.interface(head)
            size = request_record(interface).size if interface else 0
            data = window.peek(size)
            if interface and len(data) == size:
                yield Raw(window.position, data, interface)
                window.skip(size)
                continue
            if interface or len(head) < 4:
                rest = len(window.peek(size or 4))
                wanted = f"{rest} of {size or 4} bytes"
                self.fail(
                    window.position,
                    f"the last request is cut short: {wanted}",
                    "record whole requests, or leave it out with --skip-bad",
                )
                return
            self.fail(
                window.position,
                f"no request of a known version: the version word is {_word(head)}",
                f"{_KNOWN_VERSIONS}; --skip-bad looks for the next request",
            )
            self.resume(window)

    def resume(self, window: _Window) -> None:
        """Skip to what may be a request: a known version, reason and flags."""
        window.skip(4)
        while len(head := window.peek(_HEAD)) >= 4:
            interface = self.interface(head)
            if interface and _is_plausible(head, interface):
                return
            window.skip(4)
        window.skip(len(head))

    def page(self, data: bytes) -> Iterator[Raw]:
        if len(data) != PAGE:
            length = f"more than {PAGE}" if len(data) > PAGE else str(len(data))
            message = f"a ring page has {PAGE} bytes, this has {length}"
            self.fail(0, message, "dump the whole page, and nothing else")
            return
        produced, answered = _word(data[0:4]), _word(data[8:12])
        waiting = (produced - answered) % (1 << 32)
        entry = self.first_entry(data)
        if entry is None:
            if waiting:
                self.fail(
                    64, "the ring holds no request of a known version", _KNOWN_VERSIONS
                )
            return
        first, size, count = entry
        if waiting > count:
            message = (
                f"{waiting} requests wait in a ring of {count}:"
                f" req_prod is {produced:#x}, rsp_prod {answered:#x}"
            )
            self.fail(0, message, "is this a ring page of vm_event?")
            return
        for index in range(answered, answered + waiting):
            at = first + index % count * size
            interface = self.interface(data[at : at + 4])
            if interface is None:
                message = f"no request of a known version in entry {index % count}"
                self.fail(at, message, _KNOWN_VERSIONS)
            else:
                yield Raw(at, data[at : at + size], interface)

    def first_entry(self, data: bytes) -> tuple[int, int, int] | None:
        """Where entries begin, how long each is, and how many there are: a power of two.

        The first entry's version tells, for a ring that was used has used it.
        """
        interface = self.interface(data[64:68])
        if interface is None or not interface.rings:
            return None
        records = {record.key: record for record in interface.records}
        page = records[interface.rings[0].shared]
        first = next(field.offset for field in page.fields if field.name == "ring")
        size = records[interface.rings[0].entry].size
        return first, size, 1 << ((PAGE - first) // size).bit_length() - 1

    def lines(self, window: _Window) -> Iterator[Raw]:
        number = 0
        while line := window.line():
            number += 1
            position = window.position
            window.skip(len(line))
            if not line.strip():
                continue
            data = self.request_of(line, number, position)
            interface = self.interface(data[:4])
            if not data:
                continue
            if interface is None:
                message = f"line {number}: the version word is {_word(data[:4])}"
                self.fail(position, message, _KNOWN_VERSIONS)
            elif len(data) != request_record(interface).size:
                size = request_record(interface).size
                message = (
                    f"line {number}: the request has {len(data)} bytes, not {size}"
                )
                self.fail(position, message, "write the whole request in hexadecimal")
            else:
                yield Raw(position, data, interface)

    def request_of(self, line: bytes, number: int, position: int) -> bytes:
        advice = 'write a JSON object a line, with "request" in hexadecimal'
        try:
            content = json.loads(line)
            return bytes.fromhex(content["request"])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            what = f"no {error}" if isinstance(error, KeyError) else str(error)
            self.fail(position, f"line {number}: {what}", advice)
            return b""

    def interface(self, head: bytes) -> Interface | None:
        return self.interfaces(_word(head)) if len(head) >= 4 else None


def request_record(interface: Interface) -> Record:
    """The record that a request is."""
    if interface.payload is None:
        raise XenbindError(
            f"the spec of {interface.name} does not say what a request is",
            "add a [payload] to it",
        )
    wanted = interface.payload.record
    return next(record for record in interface.records if record.key == wanted)


def _is_plausible(head: bytes, interface: Interface) -> bool:
    """Whether a request may begin here: all that has names has values with names."""
    record = request_record(interface)
    groups = {group.prefix: group for group in interface.groups}
    for field in record.fields:
        group = groups.get(field.hint or "")
        if group is None or field.offset + field.size > len(head):
            continue
        value = _word(head[field.offset : field.offset + field.size])
        known = [m.value for m in group.members if isinstance(m.value, int)]
        if group.is_flag:
            bits = 0
            for flag in known:
                bits |= flag
            if value & ~bits:
                return False
        elif value not in known:
            return False
    return len(head) >= _HEAD


def _word(data: bytes) -> int:
    return int.from_bytes(data[:4], "little")

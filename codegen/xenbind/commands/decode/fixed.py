"""Read records of one type, one after another, of an interface that has no ring of requests.

Takes an `Input`; gives `Run`s of the records.  What they are called and how long they are is the
user's word: nothing in the bytes tells.
"""

from __future__ import annotations

from collections.abc import Iterator

from xenbind.commands.decode.stream import Input, Run
from xenbind.ir.interface import Interface, Record


def fixed(source: Input, interface: Interface, record: Record) -> Iterator[Run]:
    """Give the records up to the end.  What is left there, if it is no whole one, is told."""
    index, size = 0, record.size
    while data := source.there(size):
        whole = data[: len(data) // size * size]
        if not whole:
            error = source.fail(
                source.position,
                f"the input ends {len(data)} bytes into a {record.spelling} of {size}",
                "record whole ones, or name another type with --record",
            )
            error.skipped = len(data)
            return
        run = Run.on_end(index, source.position, whole, size, interface)
        yield run
        source.skip(len(whole))
        index += len(run)

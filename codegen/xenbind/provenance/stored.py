"""Keep the interfaces that were read, for whoever asks again: at once, and without a compiler.

Takes a `Job` and an interface; gives the text that `generate` writes into the output folder,
and reads it back for `options` while the headers, the spec and xenbind are those that it was
made of.  Xen's dom0 has no compiler: there `show`, `diff` and `decode` live on what came with
xenbind.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, partial
from pathlib import Path

from xenbind import resources
from xenbind.errors import XenbindError
from xenbind.ir import json_form
from xenbind.ir.interface import Interface
from xenbind.plain import replace
from xenbind.provenance import inputs, manifest
from xenbind.provenance.job import Job


def path(file: str) -> str:
    """Give the place of an interface in the output folder, by what its files are called."""
    return f"interfaces/{file}.json"


def text(job: Job, interface: Interface) -> str:
    """Write an interface; headers are named from the job's folder of headers.

    One that is elsewhere, such as the C library's, is named as C includes it, `<stdint.h>`: the
    text has no path of this machine.
    """

    @cache  # a header's path is looked up once, not for each place in it
    def name(file: str) -> str:
        header = Path(file)
        is_own = job.from_out(header) is not None or header.is_relative_to(job.root)
        return job.from_root(header) if is_own else f"<{header.name}>"

    return json_form.dump(interface, name)


def find(job: Job, file: str | None = None) -> Interface | None:
    """Give an interface as it is stored; None if that is not what the headers say now.

    Without what its files are called it is that of the job's foreign tree.  Xenbind's own headers
    have theirs with xenbind too, wherever the job's output goes.  A compiler that the job names
    may read the headers otherwise: then nothing is known.
    """
    if job.command is not None:
        return None
    for out in _folders(job):
        with suppress(XenbindError, OSError):
            if told := _read(replace(job, out=out), file):
                return json_form.load(told, partial(_place, job.root))
    return None


def _place(root: Path, name: str) -> str:
    return name if name.startswith("<") else os.path.normpath(root / name)


def _folders(job: Job) -> Iterator[Path]:
    yield job.out
    own, headers = map(resources.find, ("generated", "headers"))
    if own and headers and job.root.resolve() == headers.resolve():
        yield own


def _read(job: Job, file: str | None) -> str | None:
    """Give the text of a stored interface, None unless digests tell that it is current."""
    made = manifest.load(job.out)
    if made is None:
        return None
    name = path(file or f"v{next(iter(made.layouts))}")
    data = (job.out / name).read_bytes()
    is_whole = manifest.digest(data) == made.outputs.get(name)
    return data.decode() if is_whole and inputs.are_those_of(job, made) else None

"""Tell what an output depends on: digests of the spec, the headers, and what they ask for.

Takes a `Job` and the headers that its versions read; gives digests for `manifest`.  By
those `freshness` knows, without a header being read, that all of it is as it was.

The headers ask for more than is in them: files that `#include` and `__has_include` look
for, macros that the compiler has by itself.  Those are not part of what was read, but if
they are others than before, the headers have to be read again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from xenbind import user_cache
from xenbind.errors import XenbindError
from xenbind.provenance import manifest
from xenbind.provenance.job import Job
from xenbind.provenance.manifest import Manifest, digest, file_digest
from xenbind.source import RESERVED
from xenbind.spec import Spec, read
from xenbind.spec.tree import header_specs
from xenbind.toolchain.compiler import find_compiler
from xenbind.toolchain.predefined import predefined

_DIRECTIVE = re.compile(r"^[ \t]*#(.*(?:\\\n.*)*)", re.MULTILINE)
_FILE = re.compile(r'["<]([^"<>\n]+)[">]')
_ASKED = re.compile(r"(?:#[ \t]*ifn?def[ \t]+|\bdefined[ \t]*\(?[ \t]*)([A-Za-z_]\w*)")


def spec_digest(job: Job) -> str:
    """Give the digest of what a spec says: comments, blanks and order are nothing of it.

    With a foreign tree, the spec's own versions are not either.  The specs of its libraries
    are, and the file LICENSE beside it, if it names a licence.  Empty for a spec that cannot
    be read.
    """
    try:
        said = read(job.spec).data
        if job.include is not None:
            said.pop("version", None)
        else:
            said |= {
                name: read(job.spec.parent / name).data for name in _libraries(said)
            }
    except XenbindError:
        return ""
    interface = said.get("interface")
    if isinstance(interface, dict) and "license" in interface:
        said["LICENSE"] = file_digest(job.spec.parent / "LICENSE")
    return digest(json.dumps(said, sort_keys=True, default=str).encode())


def _libraries(said: Mapping[str, Any]) -> list[str]:
    """Give the specs of libraries that a spec names, nothing where it names them wrongly."""
    interface = said.get("interface")
    named = interface.get("libraries", ()) if isinstance(interface, dict) else ()
    return (
        [name for name in named if isinstance(name, str)]
        if isinstance(named, list)
        else []
    )


def header_digests(job: Job, names: Iterable[str]) -> dict[str, str]:
    """Give the digests of headers by their names from the `root`; empty for a lost one."""
    return {name: file_digest(job.root / name) for name in sorted(names)}


def are_those_of(job: Job, made: Manifest) -> bool:
    """Tell whether an output was made of what the job names, as that is now: by digests alone."""
    return (
        made.generator == manifest.generator_digest()
        and made.include == job.tree
        and made.spec == spec_digest(job)
        and made.inputs == header_digests(job, made.inputs)
    )


def surroundings(job: Job, spec: Spec, names: Sequence[str]) -> dict[str, str]:
    """Give digests of what else the headers with these names ask for.

    `files` is of those that they look for, which exist and were not read; `compiler` of its
    options, and of those of its macros whose names they mention; `formatter` says whose
    style the output has.  `compiler` is missing where there is none.
    """
    texts = {
        job.root / name: (job.root / name).read_text("utf-8", errors="replace")
        for name in names
        if (job.root / name).is_file()
    }
    found = {"files": _files(job, spec, texts), "formatter": _style()}
    with suppress(XenbindError):  # none, or one that `build` will tell of
        found["compiler"] = _compiler(find_compiler(job.command), texts)
    return found


def _files(job: Job, spec: Spec, texts: Mapping[Path, str]) -> str:
    """Give the digest of the files that headers may include and did not."""
    read = {path.resolve() for path in texts}
    folders = {
        folder
        for each in spec.with_libraries
        for folder in (*each.include, *(version.directory for version in each.versions))
    }
    asked: set[Path] = set()
    for path, text in texts.items():
        names = {
            name
            for directive in _DIRECTIVE.findall(text)
            for name in _FILE.findall(directive)
        }
        asked |= {folder / name for folder in (path.parent, *folders) for name in names}
    if spec.tree is not None:  # those that cannot be read are not among what was
        with suppress(XenbindError):
            directory = spec.versions[0].directory
            asked |= {directory / each.header for each in header_specs(spec)}
    there = {path.resolve() for path in asked if path.is_file()}
    lines = sorted(job.from_root(path) for path in there - read)
    return digest("\n".join(lines).encode(errors="surrogateescape"))


def _compiler(command: tuple[str, ...], texts: Mapping[Path, str]) -> str:
    """Give the digest of what a compiler is told, and of its macros that headers mention.

    Of one that they only ask whether it is defined, the value is nothing to them: all that
    call themselves __GNUC__ are one.
    """
    defined = predefined(command)
    # Versions of one header have most lines alike; few ask for a macro.
    lines = dict.fromkeys(line for t in texts.values() for line in t.split("\n"))
    asking = "\n".join(line for line in lines if "def" in line)
    others = "\n".join(line for line in lines if "def" not in line)
    asked = set(_ASKED.findall(asking))
    used = _mentioned(defined, f"{others}\n{_ASKED.sub('', asking)}")
    said = sorted(
        f"{name} {defined[name]}" if name in used else name
        for name in used | (asked & defined.keys())
    )
    return digest("\n".join([*command[1:], *said]).encode())


def _mentioned(names: Iterable[str], text: str) -> set[str]:
    """Find those of a compiler's own names that may be in a text.

    Nearly all begin with two underscores, few words in a header do: to look for these alone is
    many times as fast as to take a text apart into words.
    """
    reserved = set(RESERVED.findall(text))
    return {
        name
        for name in names
        if (name in reserved if name[:2] == "__" else name in text)
    }


def _style() -> str:
    """Give the year of black, whose style changes from one year to the next."""
    return user_cache.black_version().partition(".")[0]

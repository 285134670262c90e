"""Let a package's tests find its headers wherever it is cloned to.

Takes a `Job` and what its versions read; gives the folders, named from the output folder,
in which the generated tests look for headers.  Headers of the same project are looked for
where they are.  Of others, such as those in /usr/include or within an installed xenbind,
the files that were read are copied beside the reference: `build` adds them to the output.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from xenbind.ir.interface import Interface
from xenbind.pipeline import compiler_for
from xenbind.provenance.job import Job
from xenbind.spec import Spec

_FOLDER = "reference/include"


class HeaderCopies:
    """The folders to look in, by edition, and the texts of the copies by path.

    `angled` are those of the folders that are for `#include <x.h>`, too.
    """

    folders: Mapping[str, Sequence[str]]
    angled: Mapping[str, Sequence[str]]
    files: Mapping[str, str]

    def __init__(
        self,
        job: Job,
        spec: Spec,
        interfaces: Sequence[Interface],
        command: tuple[str, ...],
    ) -> None:
        compilers = {
            interface.edition: compiler_for(spec, version, command)
            for interface, version in zip(interfaces, spec.versions, strict=True)
        }
        folders = {name: compiler.include for name, compiler in compilers.items()}
        angled = {name: compiler.angled for name, compiler in compilers.items()}
        self.files = {}
        if job.from_out(job.root) is not None:
            self.folders, self.angled = (
                {
                    version: [job.from_out(path) or "" for path in paths]
                    for version, paths in each.items()
                }
                for each in (folders, angled)
            )
            return
        read = {Path(file).resolve() for i in interfaces for file in i.files}
        # A tree may include what is beside it: `#include "../common.h"`.
        top = Path(os.path.commonpath([job.root.resolve(), *read]))
        self.folders, self.angled = (
            {
                version: [
                    _copy(path.resolve(), top)
                    for path in paths
                    if path.resolve().is_relative_to(top)
                ]
                for version, paths in each.items()
            }
            for each in (folders, angled)
        )
        self.files = {
            _copy(path, top): path.read_text("utf-8", errors="replace")
            for path in sorted(read)
        }


def _copy(path: Path, top: Path) -> str:
    return (Path(_FOLDER) / path.relative_to(top)).as_posix()

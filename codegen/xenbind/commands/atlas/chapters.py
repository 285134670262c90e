"""Read what an atlas is of: the versions of a spec and its libraries, or the headers of a tree.

Takes a `Job`; gives the atlas's title, and a `Chapter` for each header that declares a struct.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future

from xenbind import spec
from xenbind.commands.atlas.data import Chapter, Edition
from xenbind.errors import XenbindError
from xenbind.ir import history
from xenbind.ir.abi import X86_64
from xenbind.ir.interface import Interface, Layouts
from xenbind.lowering import unmatched
from xenbind.pipeline import read_and_lay_out
from xenbind.provenance.job import Job
from xenbind.spec import Spec, VersionSpec
from xenbind.toolchain.predefined import working_compiler
from xenbind.toolchain.targets import Machine
from xenbind.tree import machines_for, read_tree
from xenbind.workers import Workers, result

Read = tuple[Interface, Layouts]


def chapters(job: Job) -> tuple[str, list[Chapter]]:
    """Read all headers.  Raises `XenbindError` where one cannot be, or none has a struct."""
    loaded = spec.load(job.spec)
    if job.include:
        loaded = loaded.for_tree(job.include, *job.further)
    command = working_compiler(job.command)
    for each in loaded.with_libraries:
        each.require_versions()
    with Workers() as workers:
        if loaded.tree is not None:
            found = list(_of_tree(loaded, machines_for(command), workers))
        else:
            found = list(_of_spec(loaded, command, workers))
    if not found:
        raise XenbindError(
            f"{job.spec} declares no struct or union to draw",
            "name a spec whose header has one",
        )
    return loaded.name, found


def _of_spec(
    loaded: Spec, command: tuple[str, ...], workers: Workers
) -> Iterator[Chapter]:
    """Give a chapter for the interface, and one for each of its libraries."""
    reading = [
        [workers.submit(read_and_lay_out, own, each, command) for each in own.versions]
        for own in loaded.with_libraries
    ]
    for own, futures in zip(loaded.with_libraries, reading, strict=True):
        read = [result(future) for future in futures]
        interfaces = history.told(
            [interface for interface, _ in read],
            [version.releases for version in own.versions],
            own.version_macro,
        )
        unmatched.refuse(own, interfaces)
        if any(interface.records for interface in interfaces):
            yield Chapter(
                own.name,
                tuple(
                    _edition(own, version, interface, layouts)
                    for version, interface, (_, layouts) in zip(
                        own.versions, interfaces, read, strict=True
                    )
                ),
            )


def _edition(
    own: Spec, version: VersionSpec, interface: Interface, layouts: Layouts
) -> Edition:
    names = version.releases or (str(interface.edition),)
    within = f"{own.package}/" if own.within else ""
    return Edition(
        link=within + names[0],
        name=_span(names) if version.releases or version.number else own.header,
        releases=tuple(within + name for name in names),
        interface=interface,
        layouts=layouts,
    )


def _span(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"


def _of_tree(
    loaded: Spec, machines: Mapping[str, Machine], workers: Workers
) -> Iterator[Chapter]:
    """Give a chapter for each header of a tree that has a struct of its own."""
    tree = read_tree(loaded, machines, workers)
    reading = [
        (own, interface, _lay_out(own, interface, machines, workers))
        for own, interface in tree.modules
        if interface.own_records
    ]
    for own, interface, future in reading:
        link = own.header.removesuffix(".h")
        here = {interface.abi: interface.records_by_key}
        layouts = here if future is None else {**here, **result(future)[1]}
        edition = Edition(link, own.header, (link,), interface, layouts)
        yield Chapter(own.header, (edition,))


def _lay_out(
    own: Spec,
    interface: Interface,
    machines: Mapping[str, Machine],
    workers: Workers,
) -> Future[Read] | None:
    """Have a header laid out on every ABI, unless it is for some machines alone."""
    if own.only or interface.abi != X86_64.name:
        return None
    command = machines[X86_64.name].command
    return workers.submit(read_and_lay_out, own, own.versions[0], command)

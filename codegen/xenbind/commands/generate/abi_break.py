"""Tell what changed in each version's ABI since the package on disk was made.

Takes the old package and the new IR; gives an `AbiChange` for each version whose layout
fingerprint is not the manifest's.  `command` tells them, and has the breaking ones refused:
an interface version whose number stays must go on meaning the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from xenbind.errors import OutputError, XenbindError
from xenbind.facts import prototypes
from xenbind.facts.package import ask_package
from xenbind.facts.probes import CLASS, Answer, expected, fingerprint, questions
from xenbind.ir.abi import ABIS
from xenbind.ir.interface import Interface
from xenbind.plain import Struct
from xenbind.provenance import manifest
from xenbind.spec import Spec

_PROTOTYPE = " prototype"
# What leads from a member to one of its own: entries[0].id
_STEP = re.compile(r"(\[0\])*\.")


class AbiBreak(XenbindError):
    """A version would change incompatibly and keep its number."""


class AbiChange(Struct, frozen=True):
    """The facts that differ in one version, as `name: old → new`, or the name alone."""

    version: str
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    added: tuple[str, ...]

    @property
    def is_breaking(self) -> bool:
        """Whether something that the old package says is no longer so."""
        return bool(self.changed or self.removed)

    def __str__(self) -> str:
        counts = (
            (self.changed, "changed"),
            (self.removed, "removed"),
            (self.added, "added"),
        )
        parts = [f"{len(facts)} facts {what}" for facts, what in counts if facts]
        kind = "broke" if self.is_breaking else "grew"
        first = [*self.changed, *self.removed, *self.added][:3]
        return (
            f"{self.version}: the ABI {kind}: {', '.join(parts)} ({'; '.join(first)})"
        )


class Uncompared(Struct, frozen=True):
    """A version whose ABI is another than it was; what of it is not known, and why."""

    version: str
    reason: str
    is_breaking = False

    def __str__(self) -> str:
        return (
            f"{self.version}: the ABI is not compared with the old package's:"
            f" {self.reason}"
        )


def changes(
    spec: Spec,
    out: Path,
    interfaces: Sequence[Interface],
    elsewhere: Callable[[], Collection[str]] = tuple,
) -> Iterator[AbiChange | Uncompared]:
    """Give the versions in the output folder whose ABI the new headers change.

    An old package that cannot be imported is no reason not to write a new one.  What
    `elsewhere` gives, by the names of facts, was moved there and not removed.
    """
    made = manifest.load(out)
    for interface in interfaces:
        name = spec.name_of(interface.edition)
        old = made.layouts.get(name) if made else None
        if old is None or old == fingerprint(interface):
            continue
        try:
            said = ask_package(spec.module_of(interface.edition), out)
        except OutputError as error:
            yield Uncompared(spec.titled(interface.title), error.message)
            continue
        before = {
            fact: said[fact]
            for fact in said
            if _is_of_abi(fact) and not _is_of_another(fact, said)
        }
        before |= {
            fact: prototypes.nameless(str(said[fact]))
            for fact in before
            if fact.endswith(_PROTOTYPE)
        }
        asked = expected(questions(interface)) | dict(_prototypes(interface))
        after = {fact: asked[fact] for fact in asked if _is_of_abi(fact)}
        change = AbiChange(
            version=spec.titled(interface.title),
            changed=tuple(
                f"{fact}: {before[fact]} → {after[fact]}"
                for fact in before
                if fact in after and before[fact] != after[fact]
            ),
            removed=tuple(
                fact for fact in before if fact not in after and fact not in elsewhere()
            ),
            added=tuple(fact for fact in after if fact not in before),
        )
        if change.is_breaking or change.added:  # else it is only asked in other words
            yield change


def facts_of(interfaces: Iterable[Interface]) -> set[str]:
    """Give the names of all that can be asked about several interfaces."""
    return {fact for each in interfaces for fact in expected(questions(each))}


def _prototypes(interface: Interface) -> Iterator[tuple[str, Answer]]:
    """Say what each function takes and gives, by no names of parameters."""
    for function in interface.functions:
        names = [each.name or "_" for each in function.type.parameters]
        said = prototypes.words(function.type, names, ABIS[interface.abi])
        yield f"{function.name}{_PROTOTYPE}", prototypes.nameless(said)


def _is_of_abi(fact: str) -> bool:
    """Tell whether a fact is one that C and Python have to agree on.

    How classes are called, and what belongs to which, is Python's own, which results are
    errors the spec's; and whatever a member points to, its bytes are the same.
    """
    others = (" target", " errors", " enums")
    return not fact.startswith(CLASS) and not fact.endswith(others)


def _is_of_another(fact: str, said: Mapping[str, Answer]) -> bool:
    """Tell whether a fact is one of a named record that a member is, told on the way there.

    Packages have told those along every path.
    """
    subject = fact.rpartition(" ")[0]
    ways = (subject[: dot.start()] for dot in _STEP.finditer(subject))
    return any(f"{said.get(f'{way} kind')} size" in said for way in ways)


def refuse(found: Sequence[AbiChange | Uncompared]) -> None:
    """Raise `AbiBreak` if a version's ABI broke while its number stayed."""
    breaking = [change for change in found if change.is_breaking]
    if breaking:
        raise AbiBreak(
            "\n".join(map(str, breaking)),
            "give the changed interface a version number of its own, or pass"
            " --accept-abi-change if the old one was wrong; nothing was written",
        )

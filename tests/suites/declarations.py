"""The declarations of a C text, each with what it declares and which others it needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[A-Za-z_]\w*")
_ATTRIBUTE = re.compile(r"__attribute__ *\(\((?:[^()]|\([^()]*\))*\)\)")
_BODY = re.compile(r"\{.*\}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A declaration and the pragmas around it; `name` is a tag, or a typedef's name."""

    name: str
    text: str

    @property
    def words(self) -> frozenset[str]:
        """All identifiers in it, keywords too."""
        return frozenset(_WORD.findall(self.text))


def split(text: str) -> list[Declaration]:
    """Take a preprocessed text apart at the semicolons outside of braces.

    A `#pragma` belongs to the declaration before it if it pops, else to the one after it.
    What declares no type is left out.
    """
    found: list[Declaration] = []
    pragmas: list[str] = []
    lines: list[str] = []
    for line in text.splitlines():
        if line.startswith("#pragma"):
            if "pop" in line and found:
                found[-1] = Declaration(found[-1].name, f"{found[-1].text}\n{line}")
            else:
                pragmas.append(line)
            continue
        for piece in re.split(r"(?<=;)", line):
            lines.append(piece)
            whole = " ".join(" ".join(lines).split())
            if whole.endswith(";") and whole.count("{") == whole.count("}"):
                if name := _declared(whole):
                    found.append(Declaration(name, "\n".join([*pragmas, whole])))
                lines, pragmas = [], []
    return found


def with_needed(
    wanted: Sequence[Declaration], others: Mapping[str, Declaration]
) -> list[Declaration]:
    """Give what is wanted after those of the others that it needs, in the others' order."""
    needed: set[str] = set()
    new: set[str] = _words(wanted) & others.keys()
    while new:
        needed |= new
        new = (_words(others[name] for name in new) & others.keys()) - needed
    return [*(others[name] for name in others if name in needed), *wanted]


def _words(declarations: Iterable[Declaration]) -> set[str]:
    return set().union(*(declaration.words for declaration in declarations))


def _declared(text: str) -> str:
    """The typedef's name or the tag, of a whole declaration on one line."""
    plain = _BODY.sub("", _ATTRIBUTE.sub("", text))
    if plain.startswith("typedef "):
        pointer = re.search(r"\(\*(\w+)\)", plain)
        return pointer[1] if pointer else _WORD.findall(plain)[-1]
    tag = re.match(r"(?:struct|union|enum) (\w+) *;", plain)
    return tag[1] if tag and "{" in text else ""

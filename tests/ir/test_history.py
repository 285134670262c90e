"""Since when something is as it is, on headers of a few lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import tree
from xenbind import pipeline
from xenbind import spec as specs
from xenbind.ir import history
from xenbind.ir.interface import Interface, Span

SPEC = """\
[interface]
name = "pairs"
package = "pairs"
header = "pair.h"
version_macro = "PAIR_VERSION"
needs = ["stdint.h"]
"""
HEADERS = {
    "4.6": "#define PAIR_VERSION 1\n#define LIMIT 3\nstruct pair { uint32_t a, old; };",
    "4.7": "#define PAIR_VERSION 1\n#define LIMIT 4\nstruct pair { uint32_t a; };",
    "4.8": "#define PAIR_VERSION 2\n#define LIMIT 4\n"
    "struct pair { uint64_t new; uint32_t a : 8; struct { uint32_t b; } in; };",
}


@pytest.fixture
def told(tmp_path: Path) -> list[Interface]:
    """The interfaces of the headers, with what their history is."""
    text = SPEC
    for release, header in HEADERS.items():
        tree(tmp_path / release, "", pair=header)
        number = header.split()[2]
        text += f'[[version]]\nnumber = {number}\ndirectory = "{release}"\n'
        text += f'releases = ["{release}"]\n'
    (tmp_path / "spec.toml").write_text(text)
    spec = specs.load(tmp_path / "spec.toml")
    read = [pipeline.read(spec, version, ("gcc",)) for version in spec.versions]
    spoken = [version.releases for version in spec.versions]
    told = history.told(read, spoken, spec.version_macro)
    backwards = history.told(read[::-1], spoken[::-1], spec.version_macro)
    assert backwards == told[::-1]
    return told


def span(interface: Interface, name: str) -> Span | None:
    """That of a constant, or of a member of `struct pair`."""
    pair = interface.records_by_key["struct pair"]
    spans = {constant.name: constant.span for constant in interface.constants}
    return (spans | {field.name: field.span for field in pair.fields})[name]


def test_what_has_always_been_there(told: list[Interface]) -> None:
    assert span(told[0], "PAIR_VERSION") == Span("4.6")
    assert told[1].records_by_key["struct pair"].span == Span("4.6")


def test_what_came_and_what_went(told: list[Interface]) -> None:
    assert span(told[2], "new") == Span("4.8")
    assert span(told[0], "old") == Span("4.6", until="4.6")


def test_a_value_that_changed(told: list[Interface]) -> None:
    assert span(told[0], "LIMIT") == Span("4.6", until="4.6", after="4")
    assert span(told[2], "LIMIT") == Span("4.7", before="3")


def test_a_type_that_changed_wherever_the_member_lies(told: list[Interface]) -> None:
    assert span(told[1], "a") == Span("4.6", until="4.7", after="uint32_t : 8")
    assert span(told[2], "a") == Span("4.8", before="uint32_t")


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span("4.17"), "Since Xen 4.17."),
        (Span("4.16", before="uint32_t"), "Since Xen 4.16, uint32_t before."),
        (Span("4.6", until="4.10"), "Xen 4.6 to 4.10."),
        (
            Span("4.8", until="4.15", after="uint64_t"),
            "Xen 4.8 to 4.15, then uint64_t.",
        ),
        (Span("4.6", until="4.6"), "Xen 4.6 alone."),
    ],
)
def test_the_words_for_it(span: Span, words: str) -> None:
    assert str(span) == words


def test_the_timeline_has_everything_by_its_name_in_c(told: list[Interface]) -> None:
    found = history.timeline(told)
    assert found["pair.a"] == [
        Span("4.6", until="4.7", after="uint32_t : 8"),
        Span("4.8", before="uint32_t"),
    ]
    assert found["pair.in.b"] == [Span("4.8")]
    assert list(found)[-1] == "pair.old"


def test_without_releases_there_is_no_history(told: list[Interface]) -> None:
    plain = history.told(told[:1], [()], None)
    assert plain == told[:1]


def test_what_the_newest_of_a_version_reads_otherwise(told: list[Interface]) -> None:
    assert list(map(str, history.unlike(told))) == [
        "`pair.old` of Xen 4.6, uint32_t there"
    ]

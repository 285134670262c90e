"""Where keys and entries of lists stand in TOML, held against what tomllib reads there."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xenbind.errors import SourceError
from xenbind.spec.places import KeyPath, find

NAMES = st.sampled_from(["a", "b", "1", "x-y"])
QUOTED = st.sampled_from(['"a"', "'b'", '"\\u0061"', '""', "'a.b'", '"]="', '"#"'])
KEYS = st.one_of(NAMES, QUOTED)
DOTTED = st.lists(KEYS, min_size=1, max_size=3).map(" . ".join)
STRINGS = st.sampled_from(
    [
        *('""', "''", '"[a]"', "'\"'", '"\\""', '"# no"', "'\\'"),
        *('"""a\n[b]\nc = 1\n"""', '"""""two""four"""""', '"""\\""""', '"""\\\n  x"""'),
        *("'''a\n'b' = ''\n'''", "''''''''"),
    ]
)
PLAIN = st.sampled_from(["1", "-0x1F", "1e3", "inf", "true", "1979-05-27 07:32:00Z"])
GAPS = st.sampled_from(["", " ", "\n", "\r\n\t", " # [x]\n", "# = 1\n  # ]\n"])


@st.composite
def lists(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    parts = [
        f"{draw(GAPS)}{value}{draw(GAPS)}"
        for value in draw(st.lists(values, max_size=3))
    ]
    last = draw(st.sampled_from(["", ","])) if parts else ""
    return f"[{','.join(parts)}{last}{draw(GAPS)}]"


@st.composite
def inline_tables(draw: st.DrawFn, values: st.SearchStrategy[str]) -> str:
    keys = draw(st.lists(DOTTED, max_size=3))
    return f"{{ {', '.join(f'{key} = {draw(values)}' for key in keys)} }}"


VALUES = st.recursive(
    STRINGS | PLAIN, lambda inner: lists(inner) | inline_tables(inner), max_leaves=6
)
STATEMENTS = st.one_of(
    st.builds("{} = {}".format, DOTTED, VALUES),
    st.builds("[{}]".format, DOTTED),
    st.builds("[[{}]]".format, DOTTED),
    GAPS,
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """A TOML file: each statement is one that may stand behind those before it."""
    text = ""
    for statement in draw(st.lists(STATEMENTS, max_size=8)):
        longer = f"{text}{statement}\n"
        try:
            tomllib.loads(longer)
        except tomllib.TOMLDecodeError:
            continue
        text = longer
    return text


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every key and entry, with what it holds."""
    if path:
        yield path, value
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, each in inner:
            yield from leaves(each, (*path, key))


@given(documents())
def test_each_key_is_where_it_is_written(text: str) -> None:
    found = find("spec.toml", text).offsets
    every = dict(leaves(tomllib.loads(text)))
    assert found.keys() == every.keys()
    for path, offset in found.items():
        heading = re.match(r"[ \t]*\[\[?", text[text.rfind("\n", 0, offset) + 1 :])
        key = next(part for part in reversed(path) if isinstance(part, str))
        if isinstance(path[-1], str) and not heading:
            written = re.match(r"[\w-]+|\"(\\.|[^\"])*\"|'[^']*'", text[offset:])
            assert written and tomllib.loads(f"{written[0]} = 0") == {key: 0}


@given(st.lists(STRINGS | PLAIN | lists(PLAIN), min_size=1), GAPS)
def test_each_entry_of_a_list_is_where_it_is_written(
    entries: list[str], gap: str
) -> None:
    text = f"a = [{gap}{f'{gap},{gap}'.join(entries)}{gap}]"
    found = find("spec.toml", text).offsets
    for index, entry in enumerate(entries):
        assert text.startswith(entry, found["a", index])


@given(st.text() | st.text("[]{}\"'\\=.,#\n a1"))
def test_any_text_is_walked_to_its_end_or_where_it_is_no_toml(text: str) -> None:
    places = find("spec.toml", text)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert places.offsets.keys() == dict(leaves(data)).keys()


def test_lines_and_columns() -> None:
    text = "\n[[version]]\nnumber = 1\n\n[[version]]\r\n  releases = [\n'4.1',\n '4.2']"
    places = find("spec.toml", text)
    assert str(places.of("version", 0, "number")) == "spec.toml:3:1"
    assert str(places.of("version", 1)) == "spec.toml:5:3"
    assert str(places.of("version", 1, "releases")) == "spec.toml:6:3"
    assert str(places.of("version", 1, "releases", 1)) == "spec.toml:8:2"
    # What is not there is told where it should be.
    assert str(places.of("version", 1, "number")) == "spec.toml:5:3"
    assert str(places.of("interface", "name")) == "spec.toml:1:1"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a = " + "[" * 5000, "1:37"),
        ("a = " + "[\n" * 5000, "33:1"),
        ("a = " + "{b = " * 5000, "1:165"),
        (".".join(["a"] * 5000) + " = 1", "1:67"),
        ("[" + ".".join(["a"] * 5000) + "]", "1:68"),
        ("b = 1\na = [" + "9" * 5000 + "]", "2:6"),
    ],
)
def test_what_tomllib_cannot_read_in_good_time(text: str, place: str) -> None:
    with pytest.raises(SourceError) as raised:
        find("spec.toml", text)
    assert str(raised.value.coord) == f"spec.toml:{place}"

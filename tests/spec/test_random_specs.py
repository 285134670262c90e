"""Whatever a spec says stays data: in a string, or as a name that was checked.

Random strings are put where a spec has strings.  Either they are refused at their place, or
the package that is made of them has no name, call or comment that plain ones do not make.
"""

from __future__ import annotations

import ast
import io
import string
import tokenize
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import SPEC, tree
from xenbind import pipeline
from xenbind import spec as specs
from xenbind.backend.formatting import Formatter
from xenbind.backend.names import python_name
from xenbind.backend.package import Package
from xenbind.backend.render import render
from xenbind.backend.templates import Templates
from xenbind.errors import XenbindError
from xenbind.ir.interface import Interface
from xenbind.plain import replace
from xenbind.spec import Spec
from xenbind.workers import Result, Workers

HEADER = """\
#include "io/ring.h"
#define KIND_READ 1
#define KIND_WRITE 2
#define BIT_A 1
#define BIT_B 2
#define BIT_C 4
struct request {
    uint32_t kind;
    uint32_t flags; /* BIT_* */
    union { uint32_t read; uint64_t written; } u;
};
DEFINE_RING_TYPES(pairs, struct request, struct request);
"""
PLAIN = {
    "name": "pairs",
    "package": "xen_pairs",
    "header": "vm_event.h",
    "define": "BITS=64",
    "need": "string.h",
    "flag": "BIT_",
    "value": "KIND_",
    "skip": "REQUEST_H",
    "group": "KIND_",
    "python": "Kind",
    "record": "struct request",
    "tag": "kind",
    "union": "u",
    "prefix": "KIND_",
    "short": "WRITE",
    "member": "written",
    "ring": "pairs",
    "keep": "BIT_A",
    "directory": "v1",
    "release": "4.15",
}
# What would run, or be an option, where somebody forgets to quote.
HOSTILE = [
    *('"', "'", '"""', "\\", "\\\n", "\n", "#", "{", "{print()}", "{{ name }}", "*/"),
    *('"), print(), ("', '"""\nprint()\n"""', "__import__('os')", "-x", "@x", "../x"),
    *("%s", "\0", "\r", "\t", "\u2028", "\ud7ff", "é", "ﬁ", "x" * 300, "$", "1", "_"),
]
TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(HOSTILE),
    st.text(string.ascii_letters + "_0$. -=/", min_size=1, max_size=6),
    st.lists(st.sampled_from([*HOSTILE, "a", "B_"]), max_size=3).map("".join),
)


def toml(texts: Mapping[str, str]) -> str:
    """A spec with one text of each kind, written with every character escaped."""
    said = {
        key: '"' + "".join(f"\\U{ord(char):08X}" for char in text) + '"'
        for key, text in texts.items()
    }
    return """\
[interface]
name = {name}
package = {package}
header = {header}
defines = ["REQUEST_H=1", {define}]
needs = ["stdint.h", "stddef.h", {need}]
flags = [{flag}]
values = [{value}]
skip = [{skip}]

[names]
{group} = {python}

[payload]
record = {record}
tag = {tag}
union = {union}
prefix = {prefix}
members = {{ {short} = {member} }}

[ring.{ring}]
keep = [{keep}]

[[version]]
number = 1
directory = {directory}
releases = [{release}]
""".format(**said)


class NoFormatter(Formatter):
    """Gives texts as they are."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def start(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)

    def result(self) -> dict[str, str]:
        return self.texts


class NoWorkers(Workers):
    """Has everything done here."""

    def beside(self, function: Callable[[], Result]) -> Callable[[], Result]:
        return function


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A header tree that the plain spec is of."""
    root = tmp_path_factory.mktemp("spec")
    tree(root / "v1", HEADER)
    (root / "io").symlink_to(SPEC.parent / "io")
    return root


def read(folder: Path, texts: Mapping[str, str]) -> tuple[Spec, Interface]:
    path = folder / "spec.toml"
    path.write_text(toml(texts))
    loaded = specs.load(path)
    return loaded, pipeline.read(loaded, loaded.versions[0], ("gcc",))


TEMPLATES = Templates()


def files(loaded: Spec, interface: Interface, shown: str = "h.h") -> dict[str, str]:
    """What would be written; `shown` is the name of the header and of a folder."""
    package = Package(
        spec=loaded,
        interfaces=(interface,),
        layouts=[lambda: {}],
        headers={interface.edition: shown},
        folders={interface.edition: [shown]},
        angled={interface.edition: [shown]},
    )
    made = render(loaded, [package], TEMPLATES, NoFormatter(), NoWorkers()).files()
    return {path: text for path, text in made.items() if "/runtime/" not in path}


@dataclass(frozen=True)
class Plain:
    """The plain spec, and what is made of it."""

    spec: Spec
    interface: Interface
    files: Mapping[str, str]


@pytest.fixture(scope="module")
def plain(folder: Path) -> Plain:
    loaded, interface = read(folder, PLAIN)
    return Plain(loaded, interface, files(loaded, interface))


def words(text: str) -> set[str]:
    """All in a module that is no string, number or sign: names, keywords, comments."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return {t.string for t in tokens if t.type in (tokenize.NAME, tokenize.COMMENT)}


class NoText(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant("") if isinstance(node.value, str) else node


def shape(text: str) -> str:
    """A module without what its strings say."""
    return ast.dump(NoText().visit(ast.parse(text)))


def test_one_text_of_a_spec(folder: Path, plain: Plain, exhaustive: bool) -> None:
    """Refused at a place, or as good as a plain one."""

    @given(st.sampled_from(sorted(PLAIN)), TEXTS)
    @settings(max_examples=400 if exhaustive else 15)
    def check(key: str, text: str) -> None:
        try:
            loaded, interface = read(folder, {**PLAIN, key: text})
        except XenbindError:
            return
        # A ring that has not the interface's own name has it before its classes'.
        # A group that the spec does not name is called by none of the names in it.
        allowed = {"PairsFrontRing", "PairsBackRing", "Kind", "KindValues"}
        allowed |= {loaded.package, *loaded.names.values()}
        allowed |= {python_name(name, set()) for name in loaded.names.values()}
        allowed |= {f"{name}_" for name in loaded.names.values()}  # of soft keywords
        for path, made in files(loaded, interface).items():
            if path.endswith(".py"):
                own = path.removeprefix(f"{loaded.package}/")
                like = path if own == path else f"{PLAIN['package']}/{own}"
                assert words(made) - words(plain.files[like]) <= allowed, path
                ast.parse(made)
            elif path == "pyproject.toml":
                assert tomllib.loads(made)["project"]["dependencies"] == []

    check()


def test_what_is_written_is_quoted(plain: Plain, exhaustive: bool) -> None:
    """Without any check before: writing alone keeps a text within its string."""

    @given(TEXTS, TEXTS, TEXTS, TEXTS, TEXTS)
    @settings(max_examples=400 if exhaustive else 15)
    def check(name: str, release: str, define: str, need: str, shown: str) -> None:
        odd = replace(
            plain.spec,
            name=name,
            versions=(replace(plain.spec.versions[0], releases=(release,)),),
            defines=(plain.spec.defines[0], define),
            needs=(*plain.spec.needs[:-1], need),
        )
        made = files(odd, plain.interface, shown)
        for path in made:
            if path.endswith(".py"):
                assert shape(made[path]) == shape(plain.files[path]), path
        description = tomllib.loads(made["pyproject.toml"])["project"]["description"]
        assert f" {name} " in description

    check()


@given(st.text() | st.text("[]{}\"'\\=.,#\n a1"))
def test_any_text_is_a_spec_or_is_refused(folder: Path, text: str) -> None:
    path = folder / "any.toml"
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.raises(XenbindError):  # for it has no [interface]
        specs.load(path)


@given(st.data())
def test_a_spec_that_is_damaged(folder: Path, data: st.DataObject) -> None:
    """A good spec with a piece cut out, doubled or replaced: no other error than ours."""
    text = SPEC.read_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    piece = data.draw(TEXTS | st.just(text[start:end] * 2))
    path = folder / "damaged.toml"
    path.write_text(text[:start] + piece + text[end:], encoding="utf-8", newline="")
    try:
        specs.load(path)
    except XenbindError as error:
        assert error.advice

"""Constants as a property: random macros of each other, in any order, have C's values.

The values are those of the generated module, imported; gcc and clang say what they should be.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from c_compiler import CLANG, GCC, compile_c
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support import tree
from xenbind import pipeline, spec
from xenbind.backend.module import module_view
from xenbind.backend.templates import Templates
from xenbind.ir.abi import ABIS

SIZE = 60
SPEC = '[interface]\nname = "c"\npackage = "c"\nheader = "vm_event.h"\n'
LITERALS = [
    *("0", "1", "3", "(-1)", "-2", "0x80000000", "0xffffffff", "4294967295", "010"),
    *(
        "1u",
        "0x7fffffff",
        "1ul",
        "(-1l)",
        "0x8000000000000000",
        "1ull",
        "'a'",
        "'\\xff'",
    ),
    *("sizeof(int)", "A_B", "0u", "((unsigned char)300)", "((short)-1)", "(int)7u"),
]
BINARY = ["|", "&", "^", "+", "-", "*", "<<", ">>", "<", "==", "&&", "||", "!=", ">="]


@st.composite
def macros(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Macros with their bodies, of literals and of one another; none leads back to itself."""
    found: list[tuple[str, str]] = []
    for index in range(SIZE):
        found.append((f"M{index}", draw(expressions([name for name, _ in found]))))
    return list(draw(st.permutations(found)))


def expressions(names: Sequence[str]) -> st.SearchStrategy[str]:
    """Expressions as people write them: with parentheses, and without."""
    leaves = st.sampled_from([*LITERALS, *names, *names])
    return st.recursive(leaves, _larger, max_leaves=4)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    binary = st.tuples(inner, st.sampled_from(BINARY), inner).map(" ".join)
    unary = st.tuples(st.sampled_from(["~", "-", "!", "+"]), inner).map("(".join)
    choice = st.tuples(inner, inner, inner).map("{0[0]} ? {0[1]} : {0[2]}".format)
    return st.one_of(binary, binary.map("({})".format), unary.map("{})".format), choice)


def header(found: Sequence[tuple[str, str]]) -> str:
    lines = [f"#define {name} {body}" for name, body in found]
    return "enum a { A_A, A_B = 5 };\n" + "\n".join(lines) + "\nstruct s { int a; };\n"


def said_by_the_module(text: str, folder: Path, target: str) -> dict[str, int]:
    """The values of the constants in a module of the header."""
    path = tree(folder, text) / "spec.toml"
    path.write_text(SPEC)
    loaded = spec.load(path).for_tree(folder)
    interface = pipeline.read(loaded, loaded.versions[0], ("gcc",), ABIS[target])
    view = module_view(interface, "", ())
    module = Templates().text("package/version.py.jinja", {"module": view})
    constants, _, _ = module.partition("\nclass ")
    names: dict[str, int] = {}
    exec(
        "\n".join(line for line in constants.split("\n") if ": Final = " in line), names
    )
    return {name: value for name, value in names.items() if name[0] == "M"}


def said_by(compiler: str, text: str, wanted: Sequence[str]) -> dict[str, int]:
    """The values that C gives them."""
    asked = "".join(
        f"const unsigned long long value_{name} = {name};\n"
        f"const char negative_{name} = ({name}) < 0;\n"
        for name in wanted
    )
    objects = compile_c(text + asked, compiler)
    return {
        name: int.from_bytes(
            objects[f"value_{name}"],
            "little",
            signed=objects[f"negative_{name}"] == b"\1",
        )
        for name in wanted
    }


@pytest.mark.parametrize("target", ["x86_64", "i386", "arm64"])
def test_random_constants_have_c_s_values(
    target: str, exhaustive: bool, tmp_path: Path
) -> None:
    @settings(max_examples=60 if exhaustive else 2, phases=[Phase.generate])
    @given(macros())
    def check(found: list[tuple[str, str]]) -> None:
        text = header(found)
        said = said_by_the_module(text, tmp_path / "tree", target)
        assert len(said) > SIZE // 6  # the others shift too far, or are made of such
        for compilers in (GCC, CLANG):
            assert said == said_by(compilers[target], text, list(said))

    check()

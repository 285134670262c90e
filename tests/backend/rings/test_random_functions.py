"""Functions of random expressions and statements, translated and compiled, on the same numbers.

A flex ring's functions may be written in any way: what is translated does what C does, and what
is not is refused.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path
from random import Random
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from support import require
from xenbind.backend.rings.functions import functions
from xenbind.errors import SourceError
from xenbind.ir.interface import FlexFunction, FlexRing
from xenbind.source import Coord

FUNCTIONS = 40  # that are compiled at once
NUMBERS = 30  # that each is called with
U32 = 0xFFFF_FFFF
TYPES = {"RING_IDX": "unsigned int", "size_t": "unsigned long"}
HERE = Coord("here.h", 1, 1)

NAMES = ["a", "b", "n", "wide", "half", "half"]
LITERALS = ["0", "1", "2", "7u", "0x80000000", "0xFFFFFFFF", "1UL", "5", "016"]
BINARY = ["+", "-", "&", "|", "^", "<", "<=", ">", "==", "!=", "&&", "||"]


def combined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.builds("({0[0]} {1} {0[1]})".format, pair, st.sampled_from(BINARY)),
        # Without a sign: two halves, as int, would multiply to what C leaves undefined.
        st.builds("({0[0]} * ({0[1]} + 0u))".format, pair),
        st.builds("({0[0]} {1} ({0[1]} | 1u))".format, pair, st.sampled_from("/%")),
        st.builds("({} >> {})".format, inner, st.integers(0, 31)),
        st.builds("(({} + 0u) << {})".format, inner, st.integers(0, 31)),
        st.builds("({0} ? {1[0]} : {1[1]})".format, inner, pair),
        st.builds("!{}".format, inner),
        st.builds("~({} + 0u)".format, inner),
        st.builds("-({} + 0u)".format, inner),
        st.builds(
            "({}){}".format, st.sampled_from([*TYPES, "uint16_t", "uint16_t"]), inner
        ),
    )


EXPRESSIONS = st.recursive(
    st.sampled_from(4 * NAMES + LITERALS), combined, max_leaves=12
)


@st.composite
def bodies(draw: st.DrawFn) -> str:
    """Statements that work with the parameters and two variables of other widths."""
    lines = ["size_t wide = (size_t)a << 3;", "uint16_t half = b ^ n;"]
    for _ in range(draw(st.integers(0, 3))):
        target = draw(st.sampled_from(NAMES))
        operator = draw(st.sampled_from(["=", "+=", "-=", "^=", "&="]))
        statement = f"{target} {operator} {draw(EXPRESSIONS)};"
        kind = draw(st.integers(0, 3))
        if kind == 1:
            statement = f"if ({draw(EXPRESSIONS)}) {statement}"
        elif kind == 2:
            other = f"return {draw(EXPRESSIONS)};"
            statement = f"if ({draw(EXPRESSIONS)}) {{ {statement} }} else {other}"
        lines.append(statement)
    return " ".join([*lines, f"return {draw(EXPRESSIONS)};"])


def ring(name: str, body: str) -> FlexRing:
    definition = f"static inline RING_IDX {name}(RING_IDX a, RING_IDX b, RING_IDX n) {{ {body} }}"
    types = (*TYPES.items(), ("uint16_t", "unsigned short"))
    function = FlexFunction("queued", name, definition, HERE)
    return FlexRing(name, (function,), types, "", None, HERE)


def translated(made: FlexRing) -> Any:
    """The function in Python, None if it is refused."""
    try:
        [function] = functions(made, "Own")
    except SourceError as refused:
        assert "is not understood" in str(refused)
        return None
    head = ", ".join(name for name, _ in function.parameters)
    text = "".join(f"    {line}\n" for line in function.lines)
    names: dict[str, Any] = {"U32": U32, "U64": 0xFFFF_FFFF_FFFF_FFFF}
    exec(f"def own({head}):\n{text}", names)
    return names["own"]


def compiled(rings: list[FlexRing]) -> Any:
    text = "#include <stdint.h>\n#include <stddef.h>\ntypedef unsigned int RING_IDX;\n"
    for one in rings:
        text += one.functions[0].definition.removeprefix("static inline ") + "\n"
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "all.c"), Path(folder, "all.so")
        source.write_text(text)
        # None of them does what C leaves undefined: else there is nothing to compare with.
        undefined = ["-fsanitize=undefined", "-fno-sanitize-recover=undefined"]
        command = [
            "gcc",
            "-O0",
            "-w",
            *undefined,
            "-shared",
            "-fPIC",
            str(source),
            "-o",
        ]
        subprocess.run([*command, str(target)], check=True)
        return ctypes.CDLL(str(target))


def test_what_is_translated_does_what_c_does(exhaustive: bool) -> None:
    require(shutil.which("gcc") is not None, "gcc")
    count = [0, 0]

    @settings(
        max_examples=40 if exhaustive else 4, deadline=None, phases=[Phase.generate]
    )
    @given(
        st.lists(bodies(), min_size=FUNCTIONS, max_size=FUNCTIONS), st.integers(0, U32)
    )
    def hold(texts: list[str], seed: int) -> None:
        rings = [ring(f"f{number}", text) for number, text in enumerate(texts)]
        library, dice = compiled(rings), Random(seed)
        for one in rings:
            own = translated(one)
            count[own is None] += 1
            if own is None:
                continue
            c = getattr(library, one.name)
            c.restype = ctypes.c_uint32
            for _ in range(NUMBERS):
                given = [
                    dice.choice([0, 1, 7, U32, 1 << 31, dice.getrandbits(32)])
                    for _ in range(3)
                ]
                found = own(*given)
                assert found == c(*given), (one.functions[0].definition, given)
                assert type(found) is int or found in (0, 1)

    hold()
    assert count[0] > count[1], "most are refused"

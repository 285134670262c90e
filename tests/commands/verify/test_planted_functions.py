"""A fault planted in what a package has of functions, of every kind: `verify` tells it, and so do
the package's own tests, which call a library compiled from the header.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support import PROJECT, own_tests, xenbind
from xenbind import pipeline, spec
from xenbind.backend.python_facts import class_questions
from xenbind.backend.reference import render_questions
from xenbind.facts.object_file import answers, compile_reference
from xenbind.facts.probes import questions
from xenbind.ir.c_types import FunctionType, Pointer, Scalar
from xenbind.ir.interface import Interface
from xenbind.plain import replace

POST = PROJECT / "tests" / "data" / "functions"

VERIFY, TESTS = "verify", "the package's tests"
BOTH = (VERIFY, TESTS)
# What is put in place of what (a pattern), who tells it, and of which function.
PLANTED = {
    "the order of parameters": (
        r"(def post_read\([^,]*), (data: .*), (size: uint32_t)",
        r"\1, \3, \2",
        BOTH,
        "post_read prototype",
    ),
    "the order of parameters of one type": (
        r"    one: (.*), other: (.*)\n",
        r"    other: \1, one: \2\n",
        BOTH,
        "post_swap prototype",
    ),
    "the order of arguments": (
        r"\(post_write, p, data, size\)",
        "(post_write, p, size, data)",
        (TESTS,),
        "",
    ),
    "a width": (
        r"size: uint16_t",
        "size: uint32_t",
        BOTH,
        "post_write prototype",
    ),
    "a sign": (
        r"lambda_: int8_t",
        "lambda_: Annotated[int, c_uint8]",
        BOTH,
        "post_lambda prototype",
    ),
    "the depth of a pointer": (
        r"one: Annotated\[Ref\[post\], POINTER\(post\)\]",
        "one: post | None",
        BOTH,
        "post_swap prototype",
    ),
    "what a pointer leads to": (
        r"number: Annotated\[Ref\[c_uint32\], POINTER\(c_uint32\)\]",
        "number: Annotated[Ref[c_uint8], POINTER(c_uint8)]",
        BOTH,
        "post_send prototype",
    ),
    "another handle": (
        r"parcel: parcel \| None",
        "parcel: post | None",
        BOTH,
        "post_weigh prototype",
    ),
    "the type of a result": (
        r"(def post_price\([^)]*\) -> )Annotated\[float, c_double\]",
        r"\1Annotated[float, c_float]",
        BOTH,
        "post_price prototype",
    ),
    "the sign of a result": (
        r"(format: Annotated\[Text, c_char_p\],\s*\*arguments.*\n\) -> )Annotated\[int, c_int\]",
        r"\1Annotated[int, c_uint]",
        BOTH,
        "post_print prototype",
    ),
    "what a callback takes": (
        r"CFUNCTYPE\(c_int, POINTER\(letter\), c_char_p, c_void_p\)",
        "CFUNCTYPE(c_int, c_char_p, POINTER(letter), c_void_p)",
        BOTH,
        "post_each prototype",
    ),
    "the enum of a result": (
        r"-> Annotated\[PostSpeed, c_uint\]",
        "-> Annotated[int, c_uint]",
        BOTH,
        "post_hurry enums",
    ),
    "the enum that a callback is given": (
        r"Callback\[\[PostSpeed, bool\]",
        "Callback[[int, bool]",
        BOTH,
        "post_hurry enums",
    ),
    "a parameter less": (
        r"(def post_find\([^,]*), to: [^)]*\)",
        r"\1)",
        BOTH,
        "post_find prototype",
    ),
    "another function that is called": (
        r"unless_negative\(post_read, ",
        "unless_negative(post_write, ",
        (TESTS,),
        "",
    ),
    "which results are errors": (
        r"unless_negative\(post_read",
        "call(post_read",
        BOTH,
        "post_read errors",
    ),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of post.h, in which nothing is wrong."""
    out = tmp_path_factory.mktemp("planted") / "out"
    assert xenbind("generate", *arguments(out)).returncode == 0
    assert told_by_verify(out) == []
    return out


def arguments(out: Path, include: Path = POST) -> list[str | Path]:
    return ["--spec", POST / "post.toml", "--include", include, "--out", out]


def told_by_verify(
    out: Path, include: Path = POST, cc: str = "gcc", library_path: str = ""
) -> list[str]:
    options = ("--cc", cc, *arguments(out, include))
    result = xenbind("verify", "--json", *options, LD_LIBRARY_PATH=library_path)
    (report,) = json.loads(result.stdout)
    assert result.returncode == bool(report["mismatches"])
    return [mismatch["fact"] for mismatch in report["mismatches"]]


@pytest.mark.parametrize("kind", PLANTED)
def test_a_fault_in_the_package_is_told(
    kind: str, made: Path, tmp_path: Path, exhaustive: bool
) -> None:
    old, new, by, fact = PLANTED[kind]
    out = tmp_path / "out"
    shutil.copytree(made, out)
    module = out / "post" / "v0.py"
    text, changed = re.subn(old, new, module.read_text(), count=1)
    assert changed
    module.write_text(text)
    assert told_by_verify(out) == [fact] * (VERIFY in by)
    if exhaustive or VERIFY not in by:
        assert bool(own_tests(out).returncode) == (TESTS in by)


# What is put in place of what in the header, after the package was made of it.
CHANGED = {
    "the order of parameters": (
        "const void *data, uint16_t size",
        "uint16_t size, const void *data",
        "post_write",
    ),
    "a width": ("uint16_t size", "uint32_t size", "post_write"),
    "a sign": ("int64_t discount", "uint64_t discount", "post_price"),
    "the depth of a pointer": ("char **post_towns", "char *post_towns", "post_towns"),
    "the type of a result": ("double post_price", "float post_price", "post_price"),
    "the size of a result": ("int post_wait", "long post_wait", "post_wait"),
    "more parameters": (
        "uint32_t size, const char *format, ...",
        "uint32_t size",
        "post_print",
    ),
}


@pytest.mark.parametrize("kind", CHANGED)
def test_a_header_that_changed_is_told(kind: str, made: Path, tmp_path: Path) -> None:
    old, new, function = CHANGED[kind]
    header = (POST / "post.h").read_text()
    assert old in header
    (tmp_path / "post.h").write_text(header.replace(old, new))
    assert told_by_verify(made, tmp_path) == [f"{function} prototype"]


LACKING = ["post_weigh symbol", "post_lambda symbol"]


def compile_library(folder: Path) -> Path:
    """Compile a library that lacks two functions."""
    folder.mkdir(exist_ok=True)
    library = folder / "libpost.so.1"
    compiled = ["gcc", "-shared", "-fPIC", "-o", str(library), str(POST / "post.c")]
    subprocess.run(compiled, check=True)
    return library


def test_a_symbol_that_the_library_lacks_is_told(made: Path, tmp_path: Path) -> None:
    compile_library(tmp_path)
    assert told_by_verify(made, cc=f"gcc -B{tmp_path}") == LACKING


def test_a_library_is_looked_for_where_python_loads_it(
    made: Path, tmp_path: Path
) -> None:
    here, other = tmp_path / "here", tmp_path / "other"
    compile_library(here)
    foreign = compile_library(other)
    content = bytearray(foreign.read_bytes())
    content[18:20] = (0xFFFF).to_bytes(2, "little")  # e_machine: it is passed over
    foreign.write_bytes(content)
    assert told_by_verify(made, library_path=f"{other}") == []
    searched = f"{tmp_path}:{other};{here}"
    assert told_by_verify(made, library_path=searched) == LACKING


# --- what xenbind itself reads wrongly --------------------------------------------------


def altered(function: FunctionType, change: dict[str, Any]) -> FunctionType:
    """Give a function with its last parameter, or its result, of another type."""
    if "result" in change:
        return replace(function, result=change["result"])
    *others, last = function.parameters
    if "order" in change:
        return replace(function, parameters=(last, *others))
    return replace(function, parameters=(*others, replace(last, **change)))


MISREAD: dict[str, dict[str, Any]] = {
    "the order": {"order": True},
    "a width": {"type": Scalar("uint16_t", "uint16_t")},
    "a sign": {"type": Scalar("int32_t", "int32_t")},
    "the depth of a pointer": {
        "type": Pointer("uint32_t *", Scalar("uint32_t", "uint32_t"))
    },
    "the result": {"result": Scalar("void", "void")},
}


@pytest.fixture(scope="module")
def interface() -> Interface:
    read = spec.load(POST / "post.toml").for_tree(POST)
    return pipeline.read(read, read.versions[0], ("gcc",))


@pytest.mark.parametrize("kind", MISREAD)
def test_c_tells_a_prototype_that_was_misread(
    kind: str, interface: Interface, tmp_path: Path
) -> None:
    change = MISREAD[kind]
    functions = tuple(
        (
            replace(each, type=altered(each.type, change))
            if each.name == "post_find"
            else each
        )
        for each in interface.functions
    )
    loaded = spec.load(POST / "post.toml").for_tree(POST)
    wrong = replace(interface, functions=functions)
    asked = questions(wrong).also(class_questions(wrong))
    program = tmp_path / "post.c"
    program.write_text(render_questions(loaded, wrong, asked))
    compiler = pipeline.compiler_for(loaded, loaded.versions[0], ("gcc",))
    said = answers(compile_reference(program, compiler), asked)
    different = [name for name, word in said.items() if word == "another prototype"]
    assert different == ["post_find prototype"]

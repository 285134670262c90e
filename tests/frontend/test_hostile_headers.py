"""Hostile headers: what a header says ends up as words and numbers, never as code.

Each header here would leave a mark if something of it were executed, when it is read or
when the generated package is imported.  The generated modules are held against the
little Python that a declaration needs; the names in them against compiled C.  What
cannot be read is refused with its place; tests/errors has the cases that are short.

Time and memory are bounded for all of them.  The large ones run with --exhaustive.
"""

from __future__ import annotations

import ast
import builtins
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import pytest
from forked import run_module
from support import PROJECT, TINY, require, tree, xenbind

VERSION = "#define VM_EVENT_INTERFACE_VERSION 1\n"
PAIR = "struct pair { uint32_t first; uint64_t second; };\n"
CPU_SECONDS = 120
MEMORY = 4 << 30


def cases(values: Iterable[str], ordinary: Collection[str]) -> list[Any]:
    """Parameters of a test, all of them with --exhaustive, and a few in an ordinary run."""
    return [
        pytest.param(value, marks=() if value in ordinary else pytest.mark.exhaustive)
        for value in values
    ]


def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """xenbind with bounded memory and processor time."""
    limits = {resource.RLIMIT_AS: MEMORY, resource.RLIMIT_CPU: CPU_SECONDS}
    return run_module("xenbind", [*map(str, arguments)], PROJECT, environment, limits)


def write(folder: Path, header: str | bytes) -> Path:
    folder.mkdir(parents=True)
    data = header if isinstance(header, bytes) else header.encode()
    (folder / "vm_event.h").write_bytes(data)
    return folder


def generated(folder: Path, header: str | bytes) -> Path:
    """The package made of a header."""
    out = folder / "out"
    headers = write(folder / "headers", header)
    made = run("generate", "--include", headers, "--out", out)
    assert made.stderr == ""
    assert made.returncode == 0
    for module in out.rglob("v1.py"):
        assert_declares_only(module)
    return out


def verified(folder: Path, header: str) -> Path:
    """The package made of a header, and held against compiled C."""
    out = generated(folder, header)
    result = run("verify", "--include", folder / "headers", "--out", out)
    assert result.stderr == ""
    assert " 0 mismatches\n" in result.stdout
    return out


def imported(out: Path, expression: str) -> Any:
    """What an expression on the module `m` gives, in a process of its own."""
    program = (
        "import json, xen_vm_event\n"
        "m = xen_vm_event.interface(1)\n"
        f"print(json.dumps({expression}))"
    )
    process = subprocess.run(
        [sys.executable, "-c", program],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stderr == ""
    return json.loads(process.stdout)


def refused(folder: Path, header: str | bytes) -> str:
    """What xenbind says of a header that it does not take."""
    headers = write(folder / "headers", header)
    result = run("generate", "--include", headers, "--out", folder / "out")
    assert result.returncode == 1
    assert result.stdout == ""
    assert not (folder / "out").exists()
    return result.stderr.replace(f"{headers}/", "")


def noted(folder: Path, header: str | bytes) -> str:
    """What xenbind says of a header that it takes but for a part of it."""
    headers = write(folder / "headers", header)
    result = run("generate", "--include", headers, "--out", folder / "out")
    assert result.returncode == 0
    return result.stderr.replace(f"{headers}/", "")


# --- what a generated module may consist of ----------------------------------------------

STATEMENTS = (ast.ImportFrom, ast.Assign, ast.AnnAssign, ast.ClassDef, ast.Expr)
EXPRESSIONS = (
    *(ast.Constant, ast.Name, ast.Load, ast.Store, ast.Tuple, ast.Dict, ast.Subscript),
    *(ast.Attribute, ast.BinOp, ast.Mult, ast.LShift, ast.BitOr, ast.UnaryOp, ast.USub),
)


def assert_declares_only(path: Path) -> None:
    """Nothing in a module but imports, constants, classes, and strings that stand alone.

    The one call is `POINTER(...)`, and the one function `payload`; every name is
    imported, defined before, or one of Python's types. A lambda takes nothing, and may name
    what is defined below.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    below = {name for node in statements(tree.body) for name in defined(node)}
    known = {"int", "bytes", "float", "bool", "property"}
    for node in statements(tree.body):
        assert isinstance(node, STATEMENTS), ast.unparse(node)
        inside: set[ast.AST] = set()
        for part in parts(node):
            if isinstance(part, ast.Lambda):
                assert ast.unparse(part.args) == ""
                inside |= {part.args, *ast.walk(part.body)}
            elif isinstance(part, ast.arguments):
                assert part in inside
            elif isinstance(part, ast.Call):
                assert ast.unparse(part.func) == "POINTER"
            elif isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
                assert part.id in known | (below if part in inside else set()), part.id
            elif isinstance(part, ast.Attribute):
                assert ast.unparse(part) in ("ring.FrontRing", "ring.BackRing")
            else:
                assert isinstance(part, EXPRESSIONS), ast.unparse(part)
        known |= defined(node)


def statements(body: list[ast.stmt]) -> list[ast.stmt]:
    found = []
    for node in body:
        if isinstance(node, ast.If):  # imports, for type checkers and for Python
            assert ast.unparse(node.test) == "TYPE_CHECKING"
            assert isinstance(node.body[0], ast.ImportFrom)
            found += statements([*node.body, *node.orelse])
            continue
        found.append(node)
        if isinstance(node, ast.ClassDef):
            found += statements(
                [item for item in node.body if not isinstance(item, ast.FunctionDef)]
            )
            methods = [item for item in node.body if isinstance(item, ast.FunctionDef)]
            assert [method.name for method in methods] in ([], ["payload"])
    return found


def parts(node: ast.stmt) -> list[ast.AST]:
    if isinstance(node, ast.ImportFrom):
        assert (node.level, node.module) in (*STANDARD, *RELATIVE)
        return []
    if isinstance(node, ast.ClassDef):
        roots: list[ast.AST] = [*node.bases, *node.decorator_list]
        assert node.keywords == []
    else:
        roots = [*ast.iter_child_nodes(node)]
    if isinstance(node, ast.Expr):
        assert isinstance(node.value, ast.Constant) and isinstance(
            node.value.value, str
        )
    return [part for root in roots for part in ast.walk(root)]


STANDARD = tuple((0, name) for name in ("builtins", "ctypes", "enum", "typing"))
RELATIVE = (
    *((1, f"runtime.{name}") for name in ("annotations", "records")),
    (1, None),
)


def defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.ImportFrom):
        return {alias.asname or alias.name for alias in node.names}
    if isinstance(node, ast.ClassDef):
        return {node.name}
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def test_the_check_of_modules_finds_code(tmp_path: Path) -> None:
    module = tmp_path / "v1.py"
    for code in (
        "import os",
        "from os import system",
        "A = open('x')",
        "A = unknown",
        "def f(): pass",
        "class A(metaclass=B): pass",
        "class A:\n    def f(self): pass",
        "f'{1}'",
        "1 + 1",
        "A = [x for x in ()]",
    ):
        module.write_text(code)
        with pytest.raises(AssertionError):
            assert_declares_only(module)


# --- words --------------------------------------------------------------------------------


def smuggled(mark: Path) -> list[str]:
    """Words that would touch a file if they became code, of Python or of a template."""
    call = f"__import__('pathlib').Path('{mark}').touch()"
    return [
        f'""" {call} """',
        f'"""\n{call}\n"""',
        f"''' {call} '''",
        f'\\""" {call} #',
        f'\\\\""" {call} #',
        f'ends in a quote" + {call} + "',
        f"{{{{ cycler.__init__.__globals__.os.system('touch {mark}') }}}}",
        f"{{% set x = lipsum.__globals__.os.system('touch {mark}') %}}",
        "{% raise %} %} {# #} {{ 7 * 7 }} {{",
        "ends in a backslash \\",
        "\\N{BULLET} \\x41 \\u0041 \\",
        f"\x0c{call}\x0b{call}\x1c{call}\x85{call}\u2028{call}\u2029{call}",
        "\ufeff \u202e \u200b \x7f \x1b]0;title\x07",
        "%(x)s {0} $(touch x) `touch x`",
    ]


def commented(words: list[str]) -> bytes:
    """A header with each of some words in every place where a comment is read."""
    lines = [VERSION]
    for index, text in enumerate(words):
        behind = text.replace("\n", " ")
        lines += [
            f"/* {text} */\n",
            "\n",  # the comment above opens a section
            f"#define SET{index}_FLAG_A (1 << 0) /* {behind} */\n",
            f"/* {text} */\n",
            f"#define SET{index}_FLAG_B (1 << 1)\n",
            f"/* {text} */\n",
            f"struct s{index} {{\n    /* {text} */\n    int a; /* {behind} */\n}};\n",
            f"// {behind} \n",
            f"union u{index} {{ int a; /* {behind} SET{index}_FLAG_* */ }};\n",
        ]
    # Bytes that are not UTF-8.
    return "".join(lines).encode() + b"/* \xff\xfe\x80 */\nstruct bytes { int a; };\n"


def test_comments_stay_words(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    words = smuggled(mark)
    out = generated(tmp_path, commented(words))
    docs = imported(
        out, f"[getattr(m, f's{{i}}').__doc__ for i in range({len(words)})]"
    )
    assert not mark.exists()
    for text, doc in zip(words, docs, strict=True):
        printable = "".join(
            c if c.isprintable() else "\ufffd" for c in "".join(text.split())
        )
        assert printable in "".join(doc.split())
    assert "{{ 7 * 7 }}" in docs[8]
    for path in out.rglob("*.py"):
        assert ast.parse(path.read_text(encoding="utf-8"))


def test_the_docstrings_hold_what_the_comments_hold(tmp_path: Path) -> None:
    text = 'a "quoted" word, a \\back\\slash, """three""" and {{ braces }}'
    out = generated(tmp_path, f"{VERSION}/* {text} */\n{PAIR}")
    assert imported(out, "m.pair.__doc__.split('\\n\\n')[0]") == text


# --- strings ------------------------------------------------------------------------------


def test_string_macros_are_what_c_makes_of_them(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    call = f"__import__('pathlib').Path('{mark}').touch()"
    # Each C literal with the text that it stands for (C11 6.4.4.4).
    strings = {
        rf'"\"); {call}; (\""': f'"); {call}; ("',
        rf'"\"\"\" {call}"': f'""" {call}',
        rf""" "''' {call} # '" """: f"''' {call} # '",
        r'"\n\t\\ \? \a\b\f\v\e"': "\n\t\\ ? \a\b\f\v\x1b",
        r'"\x41\101\60 \u00e9\U0001F600"': "AA0 \u00e9\U0001f600",
        r'"\303\251"': "\u00e9",
        '"caf\u00e9  two spaces\tand a tab"': "caf\u00e9  two spaces\tand a tab",
        '"two" " " "parts"': "two parts",
        '"{{ 7 * 7 }}{% raise %}"': "{{ 7 * 7 }}{% raise %}",
        r'"\x1b]0;title\x07"': "\x1b]0;title\x07",
        '"\\x0" "1"': "\x001",
        '""': "",
    }
    defines = "".join(f"#define S{i} {text}\n" for i, text in enumerate(strings))
    out = generated(tmp_path, VERSION + defines + PAIR)
    found = imported(out, f"[getattr(m, f'S{{i}}') for i in range({len(strings)})]")
    assert found == list(strings.values())
    assert not mark.exists()


def test_macros_that_hold_code_are_left_out(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    call = f"__import__('pathlib').Path('{mark}').touch()"
    defines = (
        f"#define CALL(x) {call}\n"
        f"#define BLOCK do {{ {call.replace(chr(39), chr(34))}; }} while (0)\n"
        '#define PRAGMA _Pragma("message") 3\n'
        "#define EMPTY\n"
        "#define PLAIN 1\n"
    )
    out = generated(tmp_path / "taken", VERSION + defines + PAIR)
    assert imported(
        out,
        "[n for n, v in vars(m).items() if n.isupper() and type(v) in (int, str) and len(n) > 3]",
    ) == [
        "VM_EVENT_INTERFACE_VERSION",
        "PLAIN",
    ]
    said = noted(tmp_path / "noted", f'{VERSION}#define X f("{mark}")\n{PAIR}')
    assert said == (
        "vm_event.h:2:9: note: X is left out: a function call is not a constant\n"
    )
    assert not mark.exists()


# --- names --------------------------------------------------------------------------------

OURS = """record anonymous Structure Union Compound Annotated Final Any OpenEnum IntFlag
    ring BackRing FrontRing Array POINTER c_uint32 c_void_p VmEventReason C_NAMES _PAYLOADS
    annotations name value values i0""".split()
DUNDER = """__init__ __getattr__ __class__ __doc__ __name__ __all__ __slots__ __path__
    __annotations__ __builtins__ __ ___ _ __x__""".split()
KEYWORDS = (
    """False None True and as assert async await class def del elif except finally
    from global import in is lambda nonlocal not or pass raise try with yield match case
    type""".split()
)
MEMBERS = """copy payload self from_buffer from_param in_dll _fields_ _pack_ _anonymous_
    _members_ _nested_ _tag_ _octets_ _b_base_ _objects _swappedbytes_ mro __slots__
    __init__ __class__ __dict__ __getattr__ __setattr__ __weakref__ _abc __ ___ _""".split()


def test_macros_with_names_that_python_or_the_package_uses(tmp_path: Path) -> None:
    c_words = {"int", "float", "float_", "_"}  # the reference needs C's own words
    names = [n for n in dir(builtins) if n not in c_words and n.isidentifier()]
    names += [n for n in OURS + DUNDER + KEYWORDS if n not in names]
    defines = "".join(f"#define {name} {1000 + i}\n" for i, name in enumerate(names))
    header = f"{VERSION}struct some {{ uint32_t first; }};\n{defines}"
    out = verified(tmp_path, header)
    found = imported(
        out, "{m.C_NAMES.get(n, n): v for n, v in vars(m).items()" " if type(v) is int}"
    )
    assert found == {
        "VM_EVENT_INTERFACE_VERSION": 1,
        **{name: 1000 + i for i, name in enumerate(names)},
    }


def test_tags_members_and_typedefs_with_names_that_python_or_the_package_uses(
    tmp_path: Path,
) -> None:
    names = [*KEYWORDS, *MEMBERS, *(n for n in OURS if n != "i0"), "print", "property"]
    names = [n for n in names if n != "case"]  # C's own
    members = "".join(f"    int {name};\n" for name in names)
    header = [VERSION, f"struct all {{\n{members}}};\n"]
    for name in names:
        header.append(f"struct {name} {{ int {name}; uint8_t bits : 3; }};\n")
        header.append(f"struct in_{name} {{ struct {name} {name}; }};\n")
        header.append(f"typedef struct {name} {name}_t;\n")
    header.append("struct dollar$ { int a$b; };\n")
    out = verified(tmp_path, "".join(header))
    assert imported(out, "[x.c_name for x in m.all_._members_]") == names
    record = "m.all_(*range(1, len(m.all_._members_) + 1))"
    assert imported(
        out, f"[getattr(r, x.name) for r in [{record}] for x in r._members_]"
    ) == list(range(1, len(names) + 1))
    assert imported(out, "m.in_class._members_[0].type.__name__") == "class_"


def test_enum_members_with_names_that_enum_uses(tmp_path: Path) -> None:
    names = (
        """_ignore_ _order_ _missing_ _generate_next_value_ _sunder_ _value_ name value
        mro __init__ __class__ __new__ _ __ 1 numerator real class None""".split()
    )
    defines = "".join(f"#define SET_{name} {i}\n" for i, name in enumerate(names))
    header = f"{VERSION}{defines}struct s {{ uint32_t kind; /* SET_* */ }};\n"
    out = verified(tmp_path, header)
    assert imported(out, "[int(x) for x in m.Set]") == list(range(len(names)))


def test_the_payload_property_with_names_that_python_uses(tmp_path: Path) -> None:
    header = (
        f"{VERSION}#define VM_EVENT_REASON_COPY 1\n#define VM_EVENT_REASON_IN 2\n"
        "#define VM_EVENT_REASON_PAYLOAD 3\n"
        "struct vm_event_st { uint32_t reason;"
        " union { uint32_t copy; uint32_t in; uint32_t payload; } u; };\n"
    )
    out = generated(tmp_path, header)
    assert imported(out, "[m.vm_event_st(i).payload for i in range(5)]") == [
        *(None, 0, 0, 0, None),
    ]


def test_structs_with_names_like_those_of_a_ring_are_no_ring(tmp_path: Path) -> None:
    header = (
        f"{VERSION}struct q {{ int a; }};\nstruct y_sring {{ int ring; }};\n"
        "union y_sring_entry { struct q req; struct q rsp; };\n"
        "struct y_front_ring { int a; };\nstruct y_back_ring { int b; };\n"
        "struct z_sring { int a; };\nunion z_sring_entry { int a; int b; int c; };\n"
    )
    out = generated(tmp_path, header)
    assert not (out / "xen_vm_event" / "ring.py").exists()


# --- shapes -------------------------------------------------------------------------------


def test_records_that_point_to_one_another(tmp_path: Path) -> None:
    out = verified(
        tmp_path,
        f"{VERSION}struct a {{ struct a *next; struct b *b; struct c *unknown; }};\n"
        "struct b { struct a *back; struct a whole; struct b **more; };\n",
    )
    assert imported(out, "[x.c_name for x in m.b._members_]") == [
        "back",
        "whole",
        "more",
    ]


def test_what_a_pointer_points_to_is_known_where_it_is_complete_before(
    tmp_path: Path,
) -> None:
    """Not where C may ask for it later."""
    folder = tmp_path / "headers"
    header = (
        f'#include "types.h"\n{VERSION}'
        "struct later;\n"
        "struct s { struct other *other; named_t *named; struct other (*rows)[3];\n"
        "           struct later *later; struct { int x; } *nameless;\n"
        "           int room[sizeof(((struct held *)0)->q)]; };\n"
        "struct later { struct s s; };\n"
    )
    out = tmp_path / "out"
    write(folder, header)
    (folder / "types.h").write_text(
        "struct other { int x; };\ntypedef struct { int y; } named_t;\n"
        "struct held { short q[3]; };\n"
    )
    for command in ("generate", "verify"):
        made = run(command, "--include", folder, "--out", out)
        assert (made.returncode, made.stderr) == (0, "")
    targets = {
        "other": "LP_other",
        "named": "LP_named_t",
        "rows": "LP_other_Array_3",
        "later": "c_void_p",
        "nameless": "LP_s_nameless",
        "room": "c_int_Array_6",
    }
    assert (
        imported(out, "{x.c_name: x.type.__name__ for x in m.s._members_}") == targets
    )


def test_arrays_of_a_million(tmp_path: Path) -> None:
    out = verified(
        tmp_path,
        f"{VERSION}struct e {{ uint16_t x; }};\n"
        "struct s { int numbers[1000000]; struct e records[1000000]; };\n",
    )
    assert imported(out, "__import__('ctypes').sizeof(m.s)") == 6_000_000


def test_a_struct_nested_200_deep(tmp_path: Path) -> None:
    inner = "".join(f"}} m{depth}; " for depth in range(200))
    header = f"{VERSION}struct n {{ {'struct { ' * 200}int x; {inner}}};\n"
    headers = write(tmp_path / "headers", header)
    out = tmp_path / "out"
    assert run("generate", "--include", headers, "--out", out).returncode == 0
    path = ".".join(f"m{depth}" for depth in reversed(range(200)))
    assert imported(out, f"m.n().{path}.x") == 0


DEEP = {
    "parentheses": "#define X " + "(" * 5000 + "1" + ")" * 5000,
    "signs": "#define X " + "- " * 5000 + "1",
    "sum": "#define X " + "1 + " * 20_000 + "1",
    "sum in an enum": "enum { Q = " + "1 + " * 6000 + "1 };",
    "structs": "struct n { "
    + "struct { " * 999
    + "int x; } m; "
    + "} m; " * 998
    + "};",
}


@pytest.mark.parametrize("case", cases(DEEP, ["structs"]))
def test_what_nests_too_deep_is_refused(case: str, tmp_path: Path) -> None:
    assert refused(tmp_path, f"{VERSION}{PAIR}{DEEP[case]}\n") == (
        "vm_event.h:1:1: error: the header nests structs, types or expressions too deep,"
        " or has too many operators in one\n"
        "  help: C promises no more than 63 levels (C11 5.2.4.1): take some out, and give"
        " parts of a long expression enumerators of their own\n"
    )


def chain(levels: int) -> str:
    """Structs that are each a member of the next: they nest, and nothing in the header does."""
    outer = (f"struct s{n} {{ struct s{n - 1} m; }};\n" for n in range(1, levels))
    return f"{VERSION}struct s0 {{ int x; }};\n{''.join(outer)}"


def test_structs_that_are_members_of_one_another_have_250_levels(
    tmp_path: Path,
) -> None:
    out = verified(tmp_path, chain(250))
    assert imported(out, "m.s249()" + ".m" * 249 + ".x") == 0


def test_structs_that_are_members_of_one_another_too_deep_are_refused(
    tmp_path: Path,
) -> None:
    """Each is read by itself; it is what comes after that would find no end of them."""
    assert refused(tmp_path, chain(1000)) == (
        "vm_event.h:252:8: error: 'struct s250' nests structs and unions in more than 250"
        " levels\n"
        "  struct s250 { struct s249 m; };\n"
        "         ^\n"
        "  help: C promises no more than 63 (C11 5.2.4.1): have fewer structs within structs\n"
    )


ARRAYS, POINTERS = "int x" + "[1]" * 300, "int " + "*" * 300 + "x"


@pytest.mark.parametrize("text", cases([ARRAYS, POINTERS], [ARRAYS]), ids=["[]", "*"])
def test_a_type_of_too_many_arrays_or_pointers_is_refused(
    text: str, tmp_path: Path
) -> None:
    for number, declared in enumerate((f"struct s {{ {text}; }}", f"typedef {text}")):
        said = refused(tmp_path / str(number), f"{VERSION}{PAIR}{declared};\n")
        assert ": error: a type of more than 63 arrays or pointers\n" in said
        assert said.startswith("vm_event.h:3:")


def test_long_names_lines_and_unions_of_flags(tmp_path: Path) -> None:
    out = verified(
        tmp_path,
        f"{VERSION}#define {'N' * 5000} 3\n#define A 1\n"
        f"#define MANY {'A | ' * 500}A\n#define OCTAL (0 << 010)\n"
        f"struct s {{ {''.join(f'int m{i}; ' for i in range(1000))}}};\n",
    )
    assert imported(out, f"[m.{'N' * 5000}, m.MANY, m.OCTAL]") == [3, 1, 0]


DIGITS = {"30": "9" * 30, "10000": "1" * 10_000, "hexadecimal": "0x" + "f" * 10_000}


@pytest.mark.parametrize("case", cases(DIGITS, ["10000"]))
def test_a_number_of_too_many_digits_is_left_out(case: str, tmp_path: Path) -> None:
    said = noted(tmp_path, f"{VERSION}#define X {DIGITS[case]}\n{PAIR}")
    assert said.startswith("vm_event.h:2:9: note: X is left out: ")
    assert said.endswith("fits no integer type\n")
    assert len(said) < 25_000


# --- sizes --------------------------------------------------------------------------------


def doubling(levels: int) -> str:
    """A macro that is ten times as long with each level, from 100 bytes on."""
    lines = [f'#define A0 "{"x" * 100}"']
    lines += [f"#define A{n + 1} " + " ".join([f"A{n}"] * 10) for n in range(levels)]
    return "\n".join(lines) + "\n"


def test_a_macro_that_expands_to_megabytes_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, VERSION + doubling(5) + PAIR).startswith(
        "vm_event.h:7:9: error: the macro A5 expands to 10,058 KB\n"
    )


TOO_MUCH = (
    "vm_event.h:1:1: error: the C compiler wrote more than 32 MB\n"
    "  help: look for a macro that expands without end, or declare less in one header\n"
)


@pytest.mark.parametrize(
    "levels", [pytest.param(6), pytest.param(12, marks=pytest.mark.exhaustive)]
)
def test_a_macro_that_expands_without_end_is_refused(
    levels: int, tmp_path: Path
) -> None:
    assert refused(tmp_path, VERSION + doubling(levels) + PAIR) == TOO_MUCH


def test_a_header_of_50_megabytes_is_refused(tmp_path: Path) -> None:
    header = (VERSION + PAIR).encode() + b"/* */\n" * (50_000_000 // 6)
    assert refused(tmp_path, header) == (
        "vm_event.h:1:1: error: larger than 16 MB\n"
        "  help: take what is not needed out of it: no person can have written all this\n"
    )


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    "unit",
    [b"/* a */\n", b"/*a*/", b"word ", b"x", b"\n", b'"a" '],
    ids=["comments", "one line", "words", "one word", "empty lines", "strings"],
)
def test_a_comment_of_15_megabytes_takes_no_time(unit: bytes, tmp_path: Path) -> None:
    filling = unit * (15_000_000 // len(unit))
    if not unit.startswith(b"/*"):
        filling = b"/* " + filling + b" */\n"
    generated(tmp_path, VERSION.encode() + filling + b"\n" + PAIR.encode())


@pytest.mark.exhaustive
def test_declarations_of_5_megabytes_are_refused(tmp_path: Path) -> None:
    structs = "".join(f"struct s{i} {{ int m[{i + 1}]; }};\n" for i in range(170_000))
    assert refused(tmp_path, VERSION + structs).startswith(
        "vm_event.h:1:1: error: more than 4 MB of declarations or 200,000 macros\n"
    )


@pytest.mark.parametrize(
    "count", [2000, pytest.param(100_000, marks=pytest.mark.exhaustive)]
)
def test_many_constants(count: int, tmp_path: Path) -> None:
    defines = "".join(f"#define C_{i} {i}\n" for i in range(count))
    headers = write(tmp_path / "headers", VERSION + defines + PAIR)
    out = tmp_path / "out"
    assert run("generate", "--include", headers, "--out", out).returncode == 0
    assert imported(out, f"m.C_{count - 1}") == count - 1


@pytest.mark.parametrize(
    "count", [200, pytest.param(20_000, marks=pytest.mark.exhaustive)]
)
def test_one_bad_macro_among_many_is_found(count: int, tmp_path: Path) -> None:
    defines = "".join(f"#define C_{i} {i}\n" for i in range(count))
    said = noted(tmp_path, f"{VERSION}{defines}#define BAD 1 +\n{PAIR}")
    assert said == (
        f"vm_event.h:{count + 2}:9: note: BAD is left out: it is not an expression\n"
    )


# --- files --------------------------------------------------------------------------------


KINDS = ["folder", "pipe", "device", "dangling", "loop"]


@pytest.mark.parametrize("kind", cases(KINDS, ["pipe", "device"]))
def test_a_header_that_is_no_file_is_refused(kind: str, tmp_path: Path) -> None:
    headers = tmp_path / "headers"
    headers.mkdir()
    header = headers / "vm_event.h"
    match kind:
        case "folder":
            header.mkdir()
        case "pipe":
            os.mkfifo(header)
        case "device":
            header.symlink_to("/dev/zero")
        case "dangling":
            header.symlink_to("nowhere")
        case "loop":
            header.symlink_to("vm_event.h")
    result = run("generate", "--include", headers, "--out", tmp_path / "out")
    assert result.returncode == 1
    reason = "no such header" if kind in ("dangling", "loop") else "not a regular file"
    assert result.stderr.startswith(f"{header}:1:1: error: {reason}\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "kind", ["folder", pytest.param("device", marks=pytest.mark.exhaustive)]
)
def test_an_include_that_is_no_file_is_refused(kind: str, tmp_path: Path) -> None:
    headers = write(tmp_path / "headers", f'{VERSION}#include "other.h"\n{PAIR}')
    if kind == "folder":
        (headers / "other.h").mkdir()
    else:
        (headers / "other.h").symlink_to("/dev/zero")
    result = run("generate", "--include", headers, "--out", tmp_path / "out")
    assert result.returncode == 1
    assert result.stderr.startswith(str(headers))
    assert not (tmp_path / "out").exists()


NAMES = [
    "two words {{ 7 * 7 }} caf\u00e9 \udcff it's $(touch x); -x",
    *(
        pytest.param(name, marks=pytest.mark.exhaustive)
        for name in (" ", "-x", "\udcff", "{% raise %}")
    ),
]


@pytest.mark.parametrize(
    "compiler", ["gcc", pytest.param("clang", marks=pytest.mark.exhaustive)]
)
@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_headers_in_a_folder_of_any_name(
    name: str, compiler: str, tmp_path: Path
) -> None:
    require(shutil.which(compiler) is not None, compiler)
    headers = write(tmp_path / name, VERSION + f"/* doc */\n{PAIR}")
    out = tmp_path / f"{name} out"
    options = ("--include", headers, "--out", out, "--cc", compiler)
    made = run("generate", *options)
    assert made.stderr == ""
    assert made.returncode == 0
    assert imported(
        out, "[m.pair.__doc__.split('\\n\\n')[0], m.pair._members_[1].c_name]"
    ) == [
        *("doc", "second"),
    ]
    assert run("check", *options).returncode == 0
    for path in out.rglob("*.py"):
        assert ast.parse(path.read_text(encoding="utf-8"))
    folders = imported_folders(out / "tests" / "subject.py")
    assert folders[0] == f"../{headers.name}"


def imported_folders(path: Path) -> list[str]:
    """What the generated tests have as the header folders of version 1."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.keyword) and node.arg == "folders":
            folders: list[str] = ast.literal_eval(node.value)
            return folders
    return []


UNSPEAKABLE = ['quo"te', "back\\slash", "new\nline", "bell\x07"]


@pytest.mark.parametrize("name", cases(UNSPEAKABLE, UNSPEAKABLE[:1]))
def test_headers_in_a_folder_that_the_preprocessor_cannot_name(
    name: str, tmp_path: Path
) -> None:
    headers = write(tmp_path / name, TINY)
    result = run("generate", "--include", headers, "--out", tmp_path / "out")
    assert result.returncode == 1
    assert "a header's path must have no quotes, backslashes or" in result.stderr
    assert not (tmp_path / "out").exists()


# --- bytes and dialects -------------------------------------------------------------------


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    header = tree(tmp_path) / "vm_event.h"
    header.write_bytes(Path("/proc/self/exe").read_bytes()[: 1 << 16])
    made = xenbind("generate", "--include", tmp_path, "--out", tmp_path / "out")
    assert made.returncode == 1
    told, advice = made.stderr.splitlines()
    assert told.startswith(f"{header}:1:1: error: not a text: ")
    assert advice == "  help: name a header file in ASCII or UTF-8"


READ = {
    "crlf": (VERSION + "/* doc */\n" + PAIR).replace("\n", "\r\n").encode(),
    "bom": b"\xef\xbb\xbf" + (VERSION + "/* doc */\n" + PAIR).encode(),
    "nul in a comment": (VERSION + "/* doc */\n" + PAIR).encode() + b"/* \0 */\n",
    "no newline at the end": (VERSION + "/* doc */\n" + PAIR).rstrip().encode(),
    "continued lines": (
        VERSION + "/* doc */\nstr\\\nuct pair {int first;\\\n};"
    ).encode(),
    "pragmas": (
        f'{VERSION}_Pragma("foo")\n#pragma GCC diagnostic push\n/* doc */\n{PAIR}'
    ).encode(),
    "functions and data": (
        VERSION + "/* doc */\n" + PAIR + "static int table[] = { 1, 2, 3 };\n"
        "static inline int f(int x) { for (; x; x--) { if (x) break; } return x; }\n"
        "int old(a, b) int a; char *b; { return a; }\n"
        '_Static_assert(sizeof(struct pair) == 16, "\\"\\"\\"");\n'
    ).encode(),
    "line of its own": (VERSION + "#line 2147483000\n" + PAIR).encode(),
}


@pytest.mark.parametrize("case", cases(READ, ["crlf", "functions and data"]))
def test_headers_of_many_kinds_are_read(case: str, tmp_path: Path) -> None:
    out = generated(tmp_path, READ[case])
    assert imported(out, "m.pair._members_[0].c_name") == "first"
    assert imported(out, "m.pair.__doc__.split('\\n\\n')[0]").strip(".") in (
        "doc",
        "struct pair",
    )

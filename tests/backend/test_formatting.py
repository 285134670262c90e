"""Formatting: as black itself formats, in processes that do not outlive their caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import permutations
from pathlib import Path

import black
import pytest
from black.parsing import InvalidInput
from hypothesis import given, settings
from hypothesis import strategies as st
from support import PROJECT, SPEC
from xenbind.backend.formatted import Formatted
from xenbind.backend.formatting import Formatter, shape
from xenbind.commands.generate.build import build
from xenbind.errors import XenbindError
from xenbind.provenance.job import Job
from xenbind.workers import Workers

UGLY = {f"{name}.py": f"{name} = {{ 'a':1 }}\n" * 9 for name in ("a", "b", "c")}


def formatted(text: str) -> str:
    return black.format_str(text, mode=black.Mode())


def test_every_text_comes_back_as_black_leaves_it() -> None:
    with Workers() as workers:
        formatter = Formatter(workers, Formatted())
        formatter.start(UGLY)
        made = formatter.result()
    assert made == {path: formatted(text) for path, text in UGLY.items()}


# --- definitions of one shape -------------------------------------------------------------


def test_structs_that_differ_in_names_and_rows_have_one_shape() -> None:
    two = 'class pair(Struct):\n    """A pair."""\n\n    first: c_int\n    second: c_int\n'
    five = two.replace("A pair.", "Five of\n    them, and more.")
    five = five.replace("pair", "five").replace("A", "The") + "    third: c_long\n" * 3
    assert shape(two) != two
    assert shape(two).count("\n") == 5
    assert shape(five) == shape(two).replace('"""a"""', '"""a\n    a"""')


def test_rows_that_differ_in_length_order_and_comments_have_one_shape() -> None:
    said = """    FIRST = 1\n    \"\"\"One, which\n    is "told" on.\n\n    And on.\n    \"\"\"\n"""
    more = """    LAST = OTHER\n    \"\"\"One.\n    Another.\n    \"\"\"\n"""
    head = "# Those of a type: fmt.\nclass Kind(Enum):\n"
    assert shape(f"{head}{said * 2}{more}") == shape(
        f"{head}{said * 2}{more * 3}{said}"
    )


def test_paragraphs_of_one_shape_in_a_row_are_one() -> None:
    said = "# Of {0}: told.\n{0}_A: Final = 1\n{0}_B: Final = 2\n{0}_C: Final = 3"
    first, second = said.format("PAIR"), said.format("OTHER")
    assert shape(f"{first}\n\n{second}\n\n{first}\n") == shape(f"{first}\n")
    imported = f"import pair\n\n{first}\n\nimport pair\n\n{second}"
    assert shape(imported).count("import a") == 2 == shape(imported).count("# a")
    for order in ("# fmt: off", "# Fine.  # fmt: skip"):
        ordered = f"{first}\n{order}"
        assert shape(f"{ordered}\n\n{ordered}").count(order) == 2


def test_statements_in_another_order_and_rows_of_items_have_one_shape() -> None:
    kinds = ["many: c_int * 9", "one: c_int", 'said = "v7.h, told"']
    forms = {
        shape("\n    ".join(["class pair(Struct):", "first: c_int", *order]))
        for order in permutations(kinds)
    }
    assert len(forms) == 1
    listed = "names = [\n{0}]\nf({1})\n"
    two, five = (
        listed.format('    "a.b",\n' * count, ", ".join(["name"] * count))
        for count in (2, 5)
    )
    assert shape(two) == shape(five) != shape(listed.format('    "a.b",\n', "name"))


def test_what_has_no_room_in_a_line_keeps_its_words() -> None:
    folded = f"{'x' * 50} = (\n    {'y' * 50}\n)"
    assert shape(f"a = pair\nb = other\n{folded}") == f"a = a\na = a\n{folded}"
    too_long = f"def first({'x' * 90}):\n    pass"
    assert shape(too_long) == too_long


# Whatever black looks at: brackets, commas, quotes, numbers, blanks, comments, words.
names = st.sampled_from(["a", "value", "a_name_of_some_length", "x" * 30, "y" * 50])
values = st.sampled_from("""
    1|0XaB|1E5|10L|'it'|"it"|'a"b'|u'x'|(1)|(1,)|not(a)|a if(b)else c|a**b|a[1:2]|a [b]
    |-a ** -b|lambda:0|[a,]|f'{a}'|("a"
    "b")|"\\x1F"
    """.strip().split("|"))
ends = st.sampled_from(["", " ", "\n", "\n    ", "'", " {x}", "\n\n    More.\n    "])
comments = st.sampled_from(
    ["", "  # told", "  #told", "  # fmt: skip", " # type: ignore"]
)


counts = st.integers(1, 4)


def listed(draw: st.DrawFn, indent: str, name: str, value: str) -> str:
    """An assignment of items on a line each, of which some are alike."""
    opening, closing = draw(
        st.sampled_from(["[]", "()", "{}", ("a(", ")"), ("a[", "]")])
    )
    items = [value, name, f"{name}: {value}", '"a.b"']
    chosen = draw(st.lists(st.sampled_from(items), min_size=1, max_size=3))
    lines = [f"{indent}    {item}," for item in chosen for _ in range(draw(counts))]
    return "\n".join([f"{indent}{name} = {opening}", *lines, f"{indent}{closing}"])


@st.composite
def statements(draw: st.DrawFn, depth: int = 0) -> str:
    indent = "    " * depth
    name, other, value = draw(names), draw(names), draw(values)
    comma = draw(st.sampled_from(["", ","]))
    kinds = [
        f"{indent}{name}: {other}{draw(comments)}",
        f"{indent}{name} = {value}{draw(comments)}",
        f"{indent}{name} = {other}({name}, {other}={value}{comma})",
        f"{indent}{name} = (\n{indent}    {other},\n{indent}    {value}{comma}\n{indent})",
        f'{indent}"""{draw(names)} {draw(names)}.{draw(ends)}"""',
        f'{indent}"""{other}\n{indent}{name}{draw(ends)}\n\n{indent}{name}\n{indent}"""',
        f"{indent}{name}: {other}[{name}({other}[{name}])] = {value}{draw(comments)}",
        f"{indent}from {name} import ({other})",
        f"{indent}del ({name}), ({other})",
        f"{indent}def {name}(\n{indent}    {other}{comma}\n{indent}) -> {name}: ...",
        f"{indent}print({name} , {other})",
        f"{indent}{name} = {other}({', '.join([name] * draw(counts))}{comma})",
        f"{indent}del {', '.join([name] * draw(counts))}",
        f"{indent}from {other} import {', '.join([name] * draw(counts))}",
        listed(draw, indent, name, value),
        f"{indent}# {name}",
        f"{indent}#{name}: told",
        f"{indent}# fmt: off",
        "",
    ]
    line = draw(st.sampled_from(kinds))
    return "\n".join([line] * draw(st.sampled_from([1, 1, 2, 3, 4])))


@st.composite
def definitions(draw: st.DrawFn) -> str:
    head = draw(st.sampled_from(["class {}:", "class {}(Base):", "@mark\nclass {}:"]))
    paragraph = st.lists(statements(depth=1), min_size=1, max_size=4)
    body: list[str] = []
    for lines in draw(st.lists(paragraph, min_size=1, max_size=4)):
        body += [*lines, ""] * draw(st.sampled_from([1, 1, 2, 3]))
    return "\n".join([head.format(draw(names)), *body, "    pass", ""])


@given(definitions())
@settings(max_examples=300, deadline=None)
def test_what_black_leaves_of_a_shape_it_leaves_of_a_definition(block: str) -> None:
    form = shape(block)
    try:
        left = formatted(form) == form
    except InvalidInput:  # a name twice in one import, say: the block is wrong as well
        left = False
    if left:
        assert formatted(block) == block


def test_black_leaves_the_shapes_of_what_is_generated() -> None:
    """Else each definition goes through black, which takes its time."""
    made = (PROJECT / "generated" / "xen_vm_event" / "v7.py").read_text()
    shapes = {shape(block) for block in made.split("\n\n\n")}
    left = {form for form in shapes if formatted(form) == form.rstrip() + "\n"}
    assert len(left) > len(shapes) / 2 > 10


def test_templates_render_what_black_would_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """black takes twice as long for a text that it changes."""
    rendered: dict[str, str] = {}

    def note(self: Formatter, texts: dict[str, str]) -> None:
        rendered.update(texts)

    monkeypatch.setattr(Formatter, "start", note)
    monkeypatch.setattr(Formatter, "result", lambda self: rendered)
    build(Job(SPEC, None, PROJECT / "generated", None))
    assert len(rendered) > 7
    for path, text in rendered.items():
        assert text == (PROJECT / "generated" / path).read_text(), path


def test_a_process_that_dies_is_told() -> None:
    with pytest.raises(XenbindError, match="had started died"), Workers() as workers:
        assert workers._pool is not None
        for process in list(workers._pool._processes):
            os.kill(process, signal.SIGKILL)
        formatter = Formatter(workers, Formatted())
        formatter.start(UGLY)
        formatter.result()


def test_processes_end_with_a_caller_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import time; from xenbind.workers import Workers\n"
        "with Workers() as made:\n"
        "    print(*made._pool._processes, flush=True)\n"
        "    time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as caller:
        assert caller.stdout
        workers = [int(word) for word in caller.stdout.readline().split()]
        assert len(workers) > 1 and all(map(is_alive, workers))
        caller.kill()
    for _ in range(100):
        if not any(map(is_alive, workers)):
            return
        time.sleep(0.1)
    pytest.fail("a process lives on")


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"

"""Members that are pointers: what they take, what C finds there, and how long it is kept.

The library is tests/data/pointers/graph.c.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import PROJECT, own_tests, xenbind

GRAPH = PROJECT / "tests" / "data" / "pointers"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of graph.h."""
    out = tmp_path_factory.mktemp("pointers") / "out"
    options = ("--spec", GRAPH / "graph.toml", "--include", GRAPH, "--out", out)
    made = xenbind("generate", *options)
    assert made.returncode == 0, made.stderr
    verified = xenbind("verify", *options)
    assert "0 mismatches" in verified.stdout, verified.stdout + verified.stderr
    return out


@pytest.fixture(scope="module")
def graph(out: Path) -> Iterator[Any]:
    """Its module, with the library loaded."""
    library = out / "libgraph.so"
    command = ["gcc", "-shared", "-fPIC", "-o", str(library), str(GRAPH / "graph.c")]
    subprocess.run(command, check=True)
    sys.path.insert(0, str(out))
    module: Any = importlib.import_module("graph.v0")
    module.library.load(str(library))
    yield module
    sys.path.remove(str(out))


def test_its_own_tests_pass(out: Path) -> None:
    result = own_tests(out)
    assert result.returncode == 0, result.stdout


def test_c_finds_what_was_assigned(graph: Any) -> None:
    node = graph.node(name="gr\u00fcn", next=graph.node(name=b"abc"))
    node.counts = (ctypes.c_uint32 * 2)(10, 20)
    node.where = graph.point(1000)
    node.data = bytearray(b"\x05")
    gc.collect()
    assert graph.graph_names(node) == len("gr\u00fcn".encode()) + 3
    assert graph.graph_sum(node) == 1035
    assert node.where.contents.x == 1000
    assert node.next.contents.name[:3] == b"abc"


def test_a_buffer_is_seen_in_place_and_bytes_are_copied(graph: Any) -> None:
    node, buffer = graph.node(), bytearray(4)
    node.data = buffer
    ctypes.memset(node.data, 7, 2)
    assert buffer == b"\7\7\0\0"
    text = b"abc"
    node.name = text
    node.name[0] = b"x"
    assert (text, node.name[:4]) == (b"abc", b"xbc\0")


def test_an_address_none_and_a_pointer_are_taken(graph: Any) -> None:
    node, point = graph.node(), graph.point(1)
    for value in (ctypes.addressof(point), ctypes.pointer(point), point):
        node.where = value
        assert ctypes.addressof(node.where.contents) == ctypes.addressof(point)
    node.where = node.next = None
    assert (bool(node.where), bool(node.next)) == (False, False)


def test_a_callable_is_called_with_what_its_type_says(graph: Any) -> None:
    seen: list[object] = []

    def visit(point: Any, name: bytes, own: Any, data: int) -> None:
        place = ctypes.addressof(own.contents)
        seen.append((point.contents.x, name, place == ctypes.addressof(walk), data))

    walk = graph.walk(visit=visit, pick=lambda colour: colour + 2)
    assert graph.graph_walk(walk, 77) == 7
    assert seen == [(3, b"here", True, 77)]


def test_a_callable_is_called_alike_as_a_parameter_and_as_a_member(graph: Any) -> None:
    seen: list[tuple[object, ...]] = []

    def meet(
        colour: Any, own: Any, count: Any, names: Any, place: Any, held: Any
    ) -> Any:
        assert ctypes.addressof(own.contents) == ctypes.addressof(walk)
        seen.append((colour, count[0], names[0], place, held.contents.node.colour))
        count[0] = 7
        return graph.Colour.RED

    walk = graph.walk()
    assert graph.graph_meet_once(meet, walk) == 7
    assert graph.graph_meet_twice(graph.meeting(meet), walk) == 14
    green = graph.Colour.GREEN
    assert seen == [(green, 1, b"a", graph.place(0x10), green)] * 3
    assert {type(each[0]) for each in seen} == {graph.Colour}
    graph.library.forget(meet)


def test_c_is_given_0_where_a_callable_raises(
    graph: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert graph.graph_added(graph.walk(add=lambda a, b: a // b), 1, 0) == 0
    assert "ZeroDivisionError" in capsys.readouterr().err


def in_an_array(graph: Any, add: Callable[..., int]) -> Any:
    array = (graph.walk * 2)()
    array[1].add = add
    return array[1]


def in_another_record(graph: Any, add: Callable[..., int]) -> Any:
    holder = graph.holder()
    holder.walks[1].add = add
    return holder.walks[1]


def assigned_to_another(graph: Any, add: Callable[..., int]) -> Any:
    holder = graph.holder()
    holder.walks = [graph.walk(add=add)]
    return holder.walks[0]


def copied(graph: Any, add: Callable[..., int]) -> Any:
    return graph.walk(add=add).copy()


def copied_with_another(graph: Any, add: Callable[..., int]) -> Any:
    return graph.holder(walks=[graph.walk(add=add)]).copy().walks[0]


def in_a_page(graph: Any, add: Callable[..., int]) -> Any:
    walk = graph.walk.from_buffer(bytearray(4096), 64)
    walk.add = add
    return walk


@pytest.mark.parametrize(
    "made",
    [
        *(in_an_array, in_another_record, assigned_to_another),
        *(copied, copied_with_another, in_a_page),
    ],
)
def test_what_was_assigned_lives_as_long_as_the_memory(
    graph: Any, made: Callable[..., Any]
) -> None:
    class Add:
        def __call__(self, a: int, b: int) -> int:
            return a + b

    walk = made(graph, add := Add())
    gone = weakref.ref(add)
    del add
    gc.collect()
    assert graph.graph_added(walk, 2, 3) == 5
    del walk
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize(
    "made",
    [
        *(in_an_array, in_another_record, assigned_to_another),
        *(copied, copied_with_another, in_a_page),
    ],
)
@pytest.mark.parametrize("keep", ["graph_keep", "graph_keep_more"])
def test_c_may_copy_a_record_with_callables_until_they_are_forgotten(
    graph: Any, made: Callable[..., Any], keep: str
) -> None:
    class Add:
        def __call__(self, a: int, b: int) -> int:
            return a + b

    before = [Add() for _ in range(2)]
    for add in before:
        walk = made(graph, add)
        arguments = (walk,) if keep == "graph_keep" else (1, walk)
        getattr(graph, keep)(*arguments)
    gone = list(map(weakref.ref, before))
    del add, walk, arguments, before
    gc.collect()
    assert graph.graph_kept(2, 3) == 5
    for each in gone:
        graph.library.forget(each())
    gc.collect()
    assert [each() for each in gone] == [None, None]
    assert not graph.library._callbacks


def test_a_copy_does_not_hold_the_page(graph: Any) -> None:
    page = bytearray(4096)
    walk = graph.walk.from_buffer(page)
    walk.add = lambda a, b: 9
    alone = walk.copy()
    del walk
    page.extend(b"which fails while anybody holds it")
    assert graph.graph_added(alone, 0, 0) == 9


def test_what_is_replaced_is_let_go(graph: Any) -> None:
    class Add:
        def __call__(self, a: int, b: int) -> int:
            return 0

    walk = graph.walk(add=(add := Add()))
    gone = weakref.ref(add)
    del add
    walk.add = None
    gc.collect()
    assert gone() is None


def test_packed_records_keep_theirs(graph: Any) -> None:
    tight = graph.tight(where=graph.point(5), add=lambda a, b: a + b, colour=5)
    gc.collect()
    assert graph.graph_tight(tight) == 13
    assert tight.colour is graph.Colour.GREEN


def test_what_is_complete_below_is_pointed_to_all_the_same(graph: Any) -> None:
    tight = graph.tight(next=graph.tight(colour=5), below=graph.below(7))
    tight.all = (ctypes.POINTER(graph.below) * 2)(tight.below)
    gc.collect()
    inner = tight.next.contents
    assert inner.colour is graph.Colour.GREEN
    assert (tight.below.contents.x, bool(inner.below)) == (7, False)
    assert (tight.all[0].contents.x, bool(tight.all[1])) == (7, False)


@pytest.mark.parametrize(
    ("record", "name", "value", "error"),
    [
        ("node", "where", 5.0, "TypeError: 'where' takes a point, an array of them, a"),
        ("node", "next", "abc", "TypeError: 'next' takes a node, an array of them, a"),
        ("node", "counts", [1], "TypeError: 'counts' takes a c_uint, an array of them"),
        ("node", "data", 5.0, "TypeError: 'data' takes a record, text, what can be"),
        ("node", "name", "a\0b", "ValueError: 'name' has a NUL inside"),
        ("walk", "add", 5.0, "TypeError: 'add' takes a callable, an address or None"),
        ("walk", "by_value", len, "TypeError: 'by_value' takes no callable: Python"),
    ],
)
def test_what_a_pointer_cannot_lead_to_is_refused(
    graph: Any, record: str, name: str, value: Any, error: str
) -> None:
    kind, _, said = error.partition(": ")
    with pytest.raises((TypeError, ValueError), match=said) as refused:
        setattr(getattr(graph, record)(), name, value)
    assert type(refused.value).__name__ == kind


def test_a_member_of_an_enum_is_read_as_one(graph: Any) -> None:
    """Numbers without a name are kept, and any number is taken."""
    node = graph.node(colour=5)
    assert node.colour is graph.Colour.GREEN
    node.colour = graph.Colour.RED
    assert bytes(node).find(b"\5") == -1
    node.colour = 9
    assert (node.colour, node.colour.name) == (9, "UNKNOWN_9")
    assert "colour=UNKNOWN_9" in repr(node)


def test_type_checkers_know_what_is_taken(out: Path, exhaustive: bool) -> None:
    user = (GRAPH / "user.py").read_text()
    wrong = {n for n, line in enumerate(user.splitlines(), 1) if "# mistake" in line}
    checkers = {"mypy": ["--strict"], "pyright": ["--pythonpath", sys.executable]}
    (out / "user.py").write_text(user)
    for checker in checkers if exhaustive else ["mypy"]:
        ran = subprocess.run(
            [sys.executable, "-m", checker, "user.py", *checkers[checker]],
            cwd=out,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = (line.split(":") for line in ran.stdout.splitlines() if "error" in line)
        found = {int(line[1]) for line in lines if line[0].endswith("user.py")}
        assert found == wrong, ran.stdout

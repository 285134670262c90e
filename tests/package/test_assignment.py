"""What arrays and records as members take, natural and packed: lists, bytes, less than all."""

from __future__ import annotations

import array
import ctypes
import gc
import importlib
import mmap
from types import ModuleType
from typing import Any

import numpy
import pytest
from support import tree, xenbind

MEMBERS = """\
    char kind;
    char name[4];
    char names[2][4];
    char grid_of_names[2][2][2];
    uint8_t octets[4];
    int8_t signs[3];
    uint16_t shorts[3];
    int grid[2][3];
    double numbers[2];
    _Bool bools[3];
    void *handles[2];
    struct node *nodes[2];
    struct node node;
    int count;
    unsigned bits : 3;
    struct node pair[2];
    uint8_t none[0];
"""
HEADER = f"""\
#define VM_EVENT_INTERFACE_VERSION 1
struct node {{ uint32_t value; char name[2]; }};
enum kind {{ KIND_A, KIND_B }};
struct few {{ int count; enum kind kind; }};
struct __attribute__((packed)) tight {{ char c; int count; unsigned bits : 3; }};
struct natural {{
{MEMBERS}}};
struct packed {{
{MEMBERS}}} __attribute__((packed));
union either {{
{MEMBERS}}};
"""


@pytest.fixture(scope="module")
def py(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    folder = tmp_path_factory.mktemp("assignment")
    headers = tree(folder / "headers", HEADER)
    spec = folder / "spec.toml"
    spec.write_text(
        '[interface]\nname = "vm_event"\npackage = "assigned"\nheader = "vm_event.h"\n'
        'version_macro = "VM_EVENT_INTERFACE_VERSION"\nneeds = ["stdint.h"]\n'
    )
    out = folder / "out"
    made = xenbind("generate", "--spec", spec, "--include", headers, "--out", out)
    assert (made.returncode, made.stderr) == (0, "")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(out))
        return importlib.import_module("assigned.v1")


@pytest.fixture(params=["natural", "packed", "either"])
def record(request: pytest.FixtureRequest, py: ModuleType) -> Any:
    return getattr(py, request.param)


def plain(value: Any) -> Any:
    """What a member holds, as lists, bytes and tuples."""
    if isinstance(value, ctypes.Array):
        is_chars = value._type_ is ctypes.c_char
        return value.raw if is_chars else [plain(item) for item in value]
    if hasattr(value, "_members_"):
        return tuple(plain(getattr(value, m.name)) for m in value._members_)
    return value


TAKEN: list[tuple[str, Any, Any]] = [
    ("name", b"ab", b"ab\0\0"),
    ("name", bytearray(b"abcd"), b"abcd"),
    ("name", memoryview(b"a"), b"a\0\0\0"),
    ("names", (b"a",), [b"a\0\0\0", bytes(4)]),
    ("names", [b"abcd", bytearray(b"e")], [b"abcd", b"e\0\0\0"]),
    ("names", [], [bytes(4)] * 2),
    ("grid_of_names", [[b"a"], (b"b", b"cd")], [[b"a\0", b"\0\0"], [b"b\0", b"cd"]]),
    ("octets", b"ab", [97, 98, 0, 0]),
    ("octets", bytearray(b"abcd"), [97, 98, 99, 100]),
    ("octets", memoryview(b"abcd")[::2], [97, 99, 0, 0]),
    ("octets", array.array("B", [1, 2]), [1, 2, 0, 0]),
    ("octets", numpy.array([1, 2], "u1"), [1, 2, 0, 0]),
    ("octets", numpy.array([1, 258], "u4"), [1, 2, 0, 0]),
    ("octets", (ctypes.c_char * 2)(b"a", b"b"), [97, 98, 0, 0]),
    ("octets", [1, 256 + 2], [1, 2, 0, 0]),
    ("octets", (1, 2, 3, 4), [1, 2, 3, 4]),
    ("octets", range(3), [0, 1, 2, 0]),
    ("signs", b"\xff\x01", [-1, 1, 0]),
    ("signs", [-1, 255], [-1, -1, 0]),
    ("shorts", [1], [1, 0, 0]),
    ("shorts", array.array("H", [1, 2]), [1, 2, 0]),
    ("grid", [[1, 2, 3], [4]], [[1, 2, 3], [4, 0, 0]]),
    ("grid", numpy.arange(6).reshape(2, 3), [[0, 1, 2], [3, 4, 5]]),
    ("numbers", [1, 2.5], [1.0, 2.5]),
    ("bools", [True, 0, 5], [True, False, True]),
    ("handles", [None, 7], [None, 7]),
    ("node", (1, b"a"), (1, b"a\0")),
    ("node", [1], (1, b"\0\0")),
    ("pair", [(1, b"a")], [(1, b"a\0"), (0, b"\0\0")]),
    ("none", [], []),
    ("none", b"", []),
]


@pytest.mark.parametrize(("name", "value", "held"), TAKEN)
def test_what_is_taken(name: str, value: Any, held: Any, record: Any) -> None:
    """Whatever was there before, what a value leaves is zero."""
    before = record.from_buffer_copy(b"\xff" * ctypes.sizeof(record))
    setattr(before, name, value)
    assert plain(getattr(before, name)) == held
    assert plain(getattr(record(**{name: value}), name)) == held


def test_an_mmap_is_bytes(py: ModuleType) -> None:
    page = mmap.mmap(-1, 4)
    page[:] = b"abcd"
    assert bytes(py.natural(octets=page).octets) == b"abcd"


def test_records_and_arrays_of_its_own_type_are_taken(
    py: ModuleType, record: Any
) -> None:
    one = record(pair=[py.node(1), (2,)], grid=[[1], [2]])
    other = record(pair=one.pair)
    other.grid = [one.grid[1], one.grid[0]]
    if record is not py.either:
        assert plain(other.pair) == plain(one.pair)
    assert plain(other.grid) == [[2, 0, 0], [1, 0, 0]]


REFUSED: list[tuple[str, Any, str]] = [
    ("name", b"abcde", "5 bytes do not fit 'name', which has 4"),
    ("name", "ab", "'name' takes bytes, not str"),
    ("name", [97], "'name' takes bytes, not list"),
    ("names", b"ab", "'names' takes a sequence of 2, not bytes"),
    ("names", ["ab"], "'names[0]' takes bytes, not str"),
    ("names", [b"", b"abcde"], "5 bytes do not fit 'names[1]', which has 4"),
    ("names", [b""] * 3, "3 items do not fit 'names', which has 2"),
    (
        "grid_of_names",
        [[], [b"", b"abc"]],
        "3 bytes do not fit 'grid_of_names[1][1]', which has 2",
    ),
    ("octets", bytes(5), "5 bytes do not fit 'octets', which has 4"),
    ("octets", [0] * 5, "5 items do not fit 'octets', which has 4"),
    ("octets", "ab", "'octets' takes bytes or a sequence of 4, not str"),
    ("octets", 5, "'octets' takes bytes or a sequence of 4, not int"),
    ("octets", None, "'octets' takes bytes or a sequence of 4, not NoneType"),
    ("octets", {1: 2}, "'octets' takes bytes or a sequence of 4, not dict"),
    ("octets", iter([1]), "'octets' takes bytes or a sequence of 4, not list_iterator"),
    ("octets", [0, 1.5], "'octets[1]' takes an integer, not float"),
    ("shorts", b"ab", "'shorts' takes a sequence of 3, not bytes"),
    ("grid", [1], "'grid[0]' takes a sequence of 3, not int"),
    ("grid", [[], [1, "2"]], "'grid[1][1]' takes an integer, not str"),
    ("grid", [[1] * 4], "4 items do not fit 'grid[0]', which has 3"),
    ("numbers", [1, "2"], "'numbers[1]' takes a number, not str"),
    ("handles", ["a"], "'handles[0]' takes an address or None, not str"),
    ("nodes", [5], "'nodes[0]' takes a pointer to node, not int"),
    ("node", 5, "'node' takes a node, not int"),
    ("node", (1, b"a", 3), "'node': too many initializers"),
    ("node", (1, "a"), "'node': 'name' takes bytes, not str"),
    ("pair", [(1,), 5], "'pair[1]' takes a node, not int"),
    ("none", [1], "1 item does not fit 'none', which has 0"),
]


@pytest.mark.parametrize(("name", "value", "message"), REFUSED)
def test_what_is_refused(name: str, value: Any, message: str, record: Any) -> None:
    """It is told with the member's name, and nothing is assigned."""
    made = record.from_buffer_copy(b"\xff" * ctypes.sizeof(record))
    error = ValueError if "fit" in message else TypeError
    with pytest.raises(error) as told:
        setattr(made, name, value)
    assert (str(told.value), bytes(made)) == (message, b"\xff" * ctypes.sizeof(record))
    with pytest.raises(error) as told:
        record(**{name: value})
    assert str(told.value) == message


@pytest.mark.parametrize("name", ["count", "bits"])
def test_a_number_is_refused_with_the_member(name: str, record: Any) -> None:
    with pytest.raises(TypeError, match=f"^'{name}': "):
        setattr(record(), name, "5")
    with pytest.raises(TypeError, match=f"^'{name}': "):
        record(**{name: "5"})


@pytest.mark.parametrize(
    ("kind", "name"), [("few", "kind"), ("tight", "count"), ("tight", "bits")]
)
def test_so_is_one_that_ctypes_does_not_assign_alone(
    kind: str, name: str, py: ModuleType
) -> None:
    with pytest.raises(TypeError, match=f"^'{name}': "):
        setattr(getattr(py, kind)(), name, "5")


def test_what_pointers_in_a_list_lead_to_lives_as_long_as_the_record(
    record: Any, py: ModuleType
) -> None:
    held = [
        record(nodes=[ctypes.pointer(py.node(value)), ctypes.pointer(py.node(value))])
        for value in range(200)
    ]
    gc.collect()
    [bytes(size) for size in range(4096)]  # what was freed would be used again
    for value, made in enumerate(held):
        assert [node.contents.value for node in made.nodes] == [value, value]

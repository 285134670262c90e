"""The functions of a library, called from Python as a user calls them.

The library is tests/data/functions/post.c, which lacks one function of its header.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import importlib
import inspect
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import PROJECT, own_tests, xenbind
from xen_vm_event.runtime import hypervisor

POST = PROJECT / "tests" / "data" / "functions"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of post.h."""
    out = tmp_path_factory.mktemp("functions") / "out"
    options = ("--spec", POST / "post.toml", "--include", POST, "--out", out)
    assert xenbind("generate", *options).returncode == 0
    verified = xenbind("verify", *options)
    assert "0 mismatches" in verified.stdout, verified.stdout + verified.stderr
    return out


@pytest.fixture(scope="module")
def module(out: Path) -> Iterator[Any]:
    """Its module, before there is a library."""
    sys.path.insert(0, str(out))
    yield importlib.import_module("post.v0")
    sys.path.remove(str(out))


@pytest.fixture
def post(module: Any, out: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Its module, with the library loaded, and its callbacks kept, until the test ends."""
    path = str(out / "libpost.so")
    if not Path(path).exists():
        command = ["gcc", "-shared", "-fPIC", "-o", path, str(POST / "post.c")]
        subprocess.run(command, check=True)
    monkeypatch.setattr(module.library, "_loaded", None)
    monkeypatch.setattr(module.library, "_prepared", {})
    monkeypatch.setattr(module.library, "_callbacks", {})
    module.library.load(path)
    return module


@pytest.fixture
def office(post: Any) -> Iterator[Any]:
    opened = post.post_open("Rome", 0)
    yield opened
    post.post_close(opened)


def test_its_own_tests_pass(out: Path) -> None:
    result = own_tests(out)
    assert result.returncode == 0, result.stdout


def test_its_readme_shows_a_function_of_its_own(out: Path) -> None:
    readme = (out / "README.md").read_text()
    lines = re.findall(r"^    >>> (from post import .*|.*has.*)$", readme, re.MULTILINE)
    shown = [line.partition("  #")[0] for line in lines]
    assert shown[1:] == ["from post import v0", 'v0.library.has("post_open")']
    subprocess.run([sys.executable, "-c", "; ".join(shown)], cwd=out, check=True)


def test_without_the_library_a_call_says_which(module: Any) -> None:
    missing = importlib.import_module("post").LibraryError
    assert issubclass(missing, OSError)
    assert not module.library.has("post_open")
    said = r"post_open: cannot load libpost\.so\.1: .*No such"
    with pytest.raises(missing, match=said):
        module.post_open("Rome", 0)


def test_a_function_that_the_library_lacks_says_so(post: Any, office: Any) -> None:
    assert post.library.has("post_open")
    assert not post.library.has("post_weigh")
    with pytest.raises(OSError, match=r"post_weigh: not in libpost\.so\.1"):
        post.post_weigh(office, None)


def test_a_misspelt_function_is_an_error_with_the_nearest_names(module: Any) -> None:
    said = r"libpost.so.1 has no function 'post_opn'; did you mean 'post_open'"
    with pytest.raises(LookupError, match=said):
        module.library.has("post_opn")


def test_a_macro_that_is_another_name_calls_the_same_function(post: Any) -> None:
    assert post.post_count_all is post.post_count
    assert post.library.has("post_count_all")


def test_a_library_may_be_that_of_the_xen_that_runs(
    post: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hypervisor, "VERSION", str(tmp_path))
    library = hypervisor.LibraryOfRelease(
        f"{tmp_path}/libpost-{{release}}.so", "post.v0"
    )
    with pytest.raises(OSError, match=r"f: no hypervisor runs here"):
        library._function("f")
    (tmp_path / "major").write_text("4\n")
    (tmp_path / "minor").write_text("17\n")
    shutil.copy(post.library._loaded._name, tmp_path / "libpost-4.17.so")
    assert library.has("post_open")


def test_a_library_is_called_by_the_prototypes_of_its_own_release(
    post: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hypervisor, "VERSION", str(tmp_path))
    (tmp_path / "major").write_text("4\n")
    (tmp_path / "minor").write_text("17\n")
    shutil.copy(post.library._loaded._name, tmp_path / "libpost-4.17.so")
    name = f"{tmp_path}/libpost-{{release}}.so"
    of = hypervisor.LibraryOfRelease
    assert of(name, "post.v0", releases=["4.16", "4.17"]).has("post_open")
    other = of(name, "post.v0", releases=["4.8", "4.9"])
    with pytest.raises(
        OSError, match=r"f: the hypervisor is 4.17, and this is the .* of 4.8 or"
    ):
        other._function("f")


def test_an_error_has_errno_the_function_and_advice(post: Any) -> None:
    with pytest.raises(PermissionError) as refused:
        post.post_open("Rome", 1)
    assert refused.value.errno == errno.EACCES
    assert str(refused.value) == (
        "[Errno 13] post_open: Permission denied; the town must have an office;"
        " ask at the counter"
    )
    ctypes.set_errno(errno.EACCES)
    general = post.library._error(post.post_town, None)
    assert str(general).endswith("post_town: Permission denied; ask at the counter")
    with pytest.raises(OSError, match="post_open: Invalid argument; the town must"):
        post.post_open(None, 0)


def test_an_error_has_the_name_that_the_function_has_in_c(
    post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(post.library, "_c_names", {"post_open": "open"})
    monkeypatch.setattr(post.library, "_symbols", {"post_open": "post_open"})
    with pytest.raises(PermissionError, match=r"\] open: Permission denied"):
        post.post_open("Rome", 1)


def test_a_result_that_is_no_error_is_given(post: Any) -> None:
    assert post.post_print(None, None, 0, "four") == -4


def test_a_negative_result_without_errno_is_an_error_too(
    post: Any, office: Any
) -> None:
    with pytest.raises(OSError, match="post_each: failed without errno, giving -1"):
        post.post_each(office, None, None)


def test_false_and_null_are_errors(post: Any, office: Any) -> None:
    with pytest.raises(OSError, match="post_write: No space left"):
        post.post_write(office, b"", 65)
    with pytest.raises(OSError, match="post_find: failed without errno, giving NULL"):
        post.post_find(office, 9)
    with pytest.raises(OSError, match="post_weight: Numerical result out of range"):
        post.post_weight(office, 1)


def test_text_is_str_in_utf_8_or_bytes_without_a_nul(post: Any) -> None:
    assert post.post_town(post.post_open("Zürich", 0)) == "Zürich".encode()
    assert post.post_town(post.post_open(b"Z\xfcrich", 0)) == b"Z\xfcrich"
    with pytest.raises(ValueError, match="post_open: town: a NUL inside"):
        post.post_open("Ro\0me", 0)
    for value in (0.5, True, [b"Rome"], memoryview(b"Rome"), object()):
        with pytest.raises(TypeError, match="post_open: town: neither str nor bytes"):
            post.post_open(value, 0)


def test_text_in_memory_is_passed_in_place(post: Any, office: Any) -> None:
    """As C gives it, which may give places in it that last as long as the memory."""
    buffer = ctypes.create_string_buffer(b"nach Rom")
    octets = bytearray(b"nach Rom\0")
    view = (ctypes.c_char * 9).from_buffer(octets)
    for text, place in (
        (buffer, buffer),
        (octets, view),
        (memoryview(octets), view),
        (ctypes.c_char_p(ctypes.addressof(buffer)), buffer),
        (ctypes.c_void_p(ctypes.addressof(buffer)), buffer),
        (ctypes.cast(buffer, ctypes.POINTER(ctypes.c_char)), buffer),
        (ctypes.addressof(buffer), buffer),
    ):
        found = post.post_after(text, b" ")
        assert ctypes.addressof(found.contents) == ctypes.addressof(place) + 5
        assert post.post_after(found, "o")[0] == b"m", "what one gives another takes"
    number = post.post_number(view, rest := ctypes.c_char_p())
    assert (number, rest.value) == (0, b"nach Rom")
    octets[:3] = b"12;"
    assert post.post_number(octets, rest) == 12
    assert rest.value == b";h Rom"
    assert post.post_number(rest, rest) == 0
    assert post.post_count((buffer, octets, rest, "x", None)) == 4


def test_wide_text_is_str_or_an_array_of_either_type(post: Any) -> None:
    room = ctypes.create_unicode_buffer(8)
    assert post.post_wide("Zürich", room) == 6
    assert room.value == "Zürich"
    numbers = (ctypes.c_int * 8)()
    for text in (room, ctypes.c_wchar_p("Zürich"), [*map(ord, "Zürich"), 0]):
        assert post.post_wide(text, numbers) == 6
    assert "".join(map(chr, numbers)) == "Zürich\0\0"
    assert post.post_wide(numbers, room) == 6
    with pytest.raises(ValueError, match="post_wide: text: a NUL inside"):
        post.post_wide("Zü\0rich", room)
    with pytest.raises(TypeError, match="post_wide: text: takes a c_int, an array of"):
        post.post_wide(5, room)
    with pytest.raises(TypeError, match="post_wide: copy: takes a c_int, an array"):
        post.post_wide("a", "a")


def test_records_and_arrays_of_them_are_passed_by_place(post: Any, office: Any) -> None:
    number = ctypes.c_uint32()
    assert post.post_send(office, post.letter(to=7, weight=20), 1, number) == 1
    assert number.value == 1
    numbers = (ctypes.c_uint32 * 2)()
    letters = (post.letter * 2)(post.letter(to=8), post.letter(to=9, stamp=b"blue"))
    assert post.post_send(office, letters, 2, numbers) == 3
    assert list(numbers) == [2, 3]
    assert post.post_send(office, letters, 2, None) == 3
    assert post.post_last(office).stamp == b"blue\0\0\0\0"
    assert post.post_find(office, 9).contents.to == 9


def test_what_c_only_reads_may_be_a_list(post: Any, office: Any) -> None:
    letters = [post.letter(to=8), (9, 20, b"blue")]
    numbers = (ctypes.c_uint32 * 2)()
    assert post.post_send(office, letters, 2, numbers) == 2
    assert post.post_send(office, tuple(letters), 2, None) == 2
    assert post.post_find(office, 9).contents.stamp == b"blue\0\0\0\0"
    with pytest.raises(
        TypeError, match=r"letters: \[1\]: 'letter' takes a letter, not int"
    ):
        post.post_send(office, [post.letter(), 5], 2, None)
    with pytest.raises(
        TypeError, match=r"number: C may write there: .*\(c_uint \* 2\)"
    ):
        post.post_send(office, letters, 2, [0, 0])


def test_what_a_pointer_leads_to_is_told(post: Any, office: Any) -> None:
    said = "takes a {}, an array of them, a pointer to one or None, not {}"
    number = ctypes.c_uint32()
    with pytest.raises(TypeError, match=said.format("letter", "c_uint")):
        post.post_send(office, number, 1, None)
    with pytest.raises(TypeError, match=said.format("c_uint", "int$")):
        post.post_send(office, post.letter(), 1, 5)
    other_letter = type("letter", (ctypes.Structure,), {"__module__": "other.v0"})
    with pytest.raises(TypeError, match=said.format("letter", "letter of other.v0")):
        post.post_send(office, other_letter(), 1, None)
    read = r"int; letter\.from_address\(\.\.\.\) has what is at an address"
    with pytest.raises(TypeError, match=said.format("letter", read)):
        post.post_send(office, 16, 1, None)


@pytest.mark.parametrize(
    ("item", "given", "bad", "said"),
    [
        ("c_uint32", [1, 2], [1, 1 << 32], r"\[1\]: 4294967296 does not fit 32 bits"),
        ("c_double", (0.5, 2), ["x"], r"\[0\]: must be real number"),
        ("c_char_p", ["a", b"b", None], ["a\0b"], r"\[0\]: a NUL inside"),
    ],
)
def test_items_of_lists_are_held_against_their_type(
    post: Any, item: str, given: Any, bad: Any, said: str
) -> None:
    parameters = importlib.import_module("post.runtime.parameters")
    annotations = importlib.import_module("post.runtime.annotations")
    pointer = ctypes.POINTER(getattr(ctypes, item))
    written = annotations.Annotated[parameters.Const, pointer]
    convert = parameters.converter(parameters.Declared("ids", written))
    array = convert(given)
    assert len(array) == len(given)
    assert list(array) == [each.encode() if each == "a" else each for each in given]
    with pytest.raises((TypeError, ValueError, OverflowError), match=said):
        convert(bad)


def test_signatures_are_for_people(post: Any) -> None:
    assert str(inspect.signature(post.post_send)) == (
        "(p: post.v0.post | None, letters: Const[letter], count: int,"
        " number: Ref[c_uint]) -> int"
    )
    assert str(inspect.signature(post.post_each)) == (
        "(p: post.v0.post | None,"
        " visit: Callback[[Pointer[letter], c_char_p, c_void_p], c_int],"
        " data: Buffer) -> int"
    )
    assert str(inspect.signature(post.letter)) == (
        "(to: int = 0, weight: int = 0, stamp: bytes = b'')"
    )
    assert repr(post.post_code) == "Annotated[int, c_uint]"


def test_records_are_passed_by_value(post: Any) -> None:
    letter = post.letter(weight=20)
    assert post.post_price(letter, 0.5, -3, post.PostSpeed.FAST) == 23.0


def test_a_result_that_is_a_pointer_leads_to_items(post: Any, office: Any) -> None:
    count = ctypes.c_uint()
    towns = post.post_towns(office, count)
    assert [towns[index] for index in range(count.value)] == [b"Rome"]
    copied = post.post_copy(office, ctypes.c_uint8(0x20))
    assert ctypes.string_at(copied) == b"rome"
    free = ctypes.CDLL(None).free
    free(towns)
    free(copied)


def test_buffers_are_anything_writable(post: Any, office: Any) -> None:
    assert post.post_write(office, b"abcd", 4)
    buffer = bytearray(4)
    assert post.post_read(office, buffer, 4) == 4
    assert buffer == b"abcd"
    record = post.letter()
    post.post_read(office, record, 4)
    assert record.to == int.from_bytes(b"abcd", "little")
    post.post_read(office, memoryview(buffer)[2:], 2)
    assert buffer == b"abab"
    post.post_read(office, ctypes.addressof(record) + 4, 2)
    assert record.weight == int.from_bytes(b"ab", "little")
    said = r"post_read: data: C may write there: pass a bytearray\(\.\.\.\), not bytes"
    with pytest.raises(TypeError, match=said):
        post.post_read(office, b"abcd", 4)
    said = r"data: takes a buffer, an address or None, not {}$"
    for value, kind in (("abcd", "str, which may be encoded"), (0.5, "float")):
        with pytest.raises(TypeError, match=said.format(kind)):
            post.post_write(office, value, 4)
    with pytest.raises(TypeError, match=r"data: .* read-only: pass bytes\(\.\.\.\)"):
        post.post_write(office, memoryview(b"abcd"), 4)


def test_a_number_has_to_fit(post: Any, office: Any) -> None:
    assert post.post_write(office, b"", 0)
    with pytest.raises(OverflowError, match="post_write: size: 65536 does not fit 16"):
        post.post_write(office, b"", 65536)
    with pytest.raises(TypeError, match="post_write: size: "):
        post.post_write(office, b"", "1")


def test_minus_one_is_all_bits_as_in_c(post: Any, office: Any) -> None:
    with pytest.raises(OSError, match="post_find"):
        post.post_find(office, -1)
    post.post_send(office, post.letter(to=0xFFFFFFFF), 1, None)
    assert post.post_find(office, -1).contents.to == 0xFFFFFFFF


def test_a_handle_is_of_its_own_class(post: Any, office: Any) -> None:
    with pytest.raises(TypeError, match="post_close: p: not a post: <parcel at 0x1>"):
        post.post_close(post.parcel(1))
    one, other = post.post_open("Rome", 0), post.post_open("Bern", 0)
    post.post_swap(one, other)
    assert (post.post_town(one), post.post_town(other)) == (b"Bern", b"Rome")
    other_post = type("post", (post.parcel,), {"__module__": "other.v0"})
    with pytest.raises(TypeError, match=r"not a post: <post at 0x1> of other\.v0$"):
        post.post_close(other_post(1))
    assert repr(post.post(16)) == "<post at 0x10>"
    assert {post.post(16), post.post(16), post.post(8)} == {post.post(8), post.post(16)}
    assert post.post(16) != post.parcel(16)
    assert not post.post()


def test_a_variadic_function_takes_more(post: Any, office: Any) -> None:
    line = bytearray(64)
    given = ("text", 7, 1 << 40, 1.5, None)
    length = post.post_print(office, line, 64, "%s %d %lld %.1f %p", *given)
    assert line[:length] == b"text 7 1099511627776 1.5 (nil)"


def test_a_callback_lives_until_it_is_forgotten(post: Any, office: Any) -> None:
    seen = []

    def visit(letter: Any, town: bytes, data: int) -> int:
        seen.append((letter.contents.to, town, data))
        return 5

    post.post_send(office, post.letter(to=3), 1, None)
    assert post.post_each(office, visit, 99) == 5
    assert seen == [(3, b"Rome", 99)]
    (kept,) = post.library._callbacks.values()
    gc.collect()
    assert kept(ctypes.pointer(post.letter(to=4)), b"Bern", 1) == 5
    post.library.forget(visit)
    assert not post.library._callbacks


def test_a_function_of_ctypes_is_called_as_its_own_type_says(
    post: Any, office: Any
) -> None:
    seen = []

    def visit(letter: int, town: int, data: int) -> int:
        seen.append((letter, ctypes.string_at(town, 2), data))
        return 5

    types = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
    function = ctypes.CFUNCTYPE(ctypes.c_int, *types)(visit)
    post.post_send(office, post.letter(to=3), 1, None)
    assert post.post_each(office, function, 1 << 40) == 5
    ((letter, town, data),) = seen
    assert (post.letter.from_address(letter).to, town, data) == (3, b"Ro", 1 << 40)
    assert list(post.library._callbacks.values()) == [function]
    post.library.forget(function)
    assert function not in post.library._callbacks.values()


class Equal:
    """A callable that is equal to any other, and has no hash, as a dataclass has none."""

    def __init__(self, given: int) -> None:
        self.given = given

    def __eq__(self, other: object) -> bool:
        return True

    def __call__(self, *_: object) -> int:
        return self.given

    def method(self, *_: object) -> int:
        return self.given


def test_equal_callbacks_are_not_the_same(post: Any, office: Any) -> None:
    post.post_send(office, post.letter(), 1, None)
    for _ in range(2):
        assert [post.post_each(office, Equal(n), None) for n in (3, 4)] == [3, 4]
    assert len(post.library._callbacks) == 4
    one, other = Equal(5), Equal(6)
    assert [post.post_each(office, each, None) for each in (one, other, one)] == [
        5,
        6,
        5,
    ]
    assert len(post.library._callbacks) == 6, "each is kept once"
    post.library.forget(one)
    assert len(post.library._callbacks) == 5


def test_a_method_is_the_same_at_each_use(post: Any, office: Any) -> None:
    post.post_send(office, post.letter(), 1, None)
    one, other = Equal(5), Equal(6)
    methods = (one.method, other.method, one.method)
    assert [post.post_each(office, each, None) for each in methods] == [5, 6, 5]
    seen: list[object] = []
    assert post.post_each(office, seen.append, None) == 0  # None is no result
    assert len(post.library._callbacks) == 3
    for method in (one.method, other.method, seen.append):
        post.library.forget(method)
    assert not post.library._callbacks


def test_a_callback_is_given_values_and_gives_addresses(post: Any, office: Any) -> None:
    seen = []

    def step(own: Any, letter: Any, price: float, following: int) -> int:
        seen.append((own.value, letter.weight, price, following))
        return 0x1234

    post.post_send(office, post.letter(weight=20), 1, None)
    assert post.post_walk(office, step) == 0x1234
    assert seen == [(office.value, 20, 0.5, post.post_next(office))]


def test_functions_may_be_in_a_list(post: Any) -> None:
    def double(number: int) -> int:
        return 2 * number

    step = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda number: number + 1)
    place = ctypes.cast(step, ctypes.c_void_p).value
    assert post.post_steps([double, place, double, None], 5) == 22
    assert post.post_two_steps((place, double), 5) == 12
    assert len(post.library._callbacks) == 1
    assert post.post_steps((ctypes.c_void_p * 3)(place, place), 5) == 7
    post.library.forget(double)
    assert not post.library._callbacks
    with pytest.raises(TypeError, match=r"post_steps: steps: \[1\]: not callable: 'x'"):
        post.post_steps([double, "x"], 5)
    with pytest.raises(TypeError, match="post_steps: steps: takes a c_void_p"):
        post.post_steps(double, 5)


def test_behind_the_parameters_a_function_is_one_of_ctypes(post: Any) -> None:
    step = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)
    kept = step(lambda number: number + 1)
    assert post.post_add(2, step(lambda number: 2 * number), kept) == 4
    gc.collect()
    assert post.post_add(0) == 2, "it lives on"
    assert len(post.library._callbacks) == 2
    post.library.forget(kept)
    assert len(post.library._callbacks) == 1


def test_behind_the_parameters_buffers_are_passed_in_place(
    post: Any, office: Any
) -> None:
    line, number = bytearray(64), ctypes.c_int()
    text = bytearray(b"Rome\0")
    length = post.post_print(office, line, 64, "%s%n", text, ctypes.byref(number))
    assert line[:length] == b"Rome"
    assert number.value == 4


def test_a_callback_may_be_an_address(post: Any) -> None:
    """As C gives one, or a header has it: `((handler)1)`."""
    choose = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_bool)(lambda *_: 9)
    place = ctypes.cast(choose, ctypes.c_void_p).value
    assert post.post_hurry(post.PostSpeed.SLOW, place) == 9 + 1
    assert not post.library._callbacks, "nothing is to be kept alive"
    with pytest.raises(TypeError, match="not callable: True"):
        post.post_hurry(post.PostSpeed.SLOW, True)


def test_other_threads_run_meanwhile(post: Any) -> None:
    ready = ctypes.c_int()
    threading.Timer(0.01, lambda: setattr(ready, "value", 1)).start()
    assert post.post_wait(ready) == 0


def test_a_number_of_an_enum_is_one(post: Any) -> None:
    """What C gives is of the enum, and what it takes may be: numbers without a name are kept."""
    seen = []

    def choose(speed: Any, is_late: bool) -> int:
        seen.append((speed, is_late))
        return int(speed)

    speed = post.PostSpeed
    assert post.post_hurry(speed.SLOW, choose) is speed.FAST
    assert post.post_hurry(0, choose) is speed.FAST
    unknown = post.post_hurry(7, choose)
    assert (unknown, type(unknown), unknown.name) == (8, speed, "UNKNOWN_8")
    assert seen[0] == (speed.SLOW, True)
    assert [type(each) for each, _ in seen] == [speed] * 3
    with pytest.raises(TypeError, match="post_hurry: speed: "):
        post.post_hurry("fast", choose)
    with pytest.raises(OverflowError, match="does not fit 32 bits"):
        post.post_hurry(1 << 32, choose)


@pytest.mark.parametrize("given", [None, "a text", 0.5])
def test_c_is_given_0_where_a_callback_gives_no_such_result(
    post: Any, office: Any, given: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert post.post_each(office, lambda *_: given, None) == 0
    assert "TypeError: " in capsys.readouterr().err


def test_c_is_given_0_where_a_callback_raises(
    post: Any, office: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def visit(*_: object) -> int:
        raise ValueError("nobody is at home")

    assert post.post_each(office, visit, None) == 0
    assert "ValueError: nobody is at home" in capsys.readouterr().err


def test_small_numbers_are_widened_for_a_variadic_function(
    post: Any, office: Any
) -> None:
    line = (ctypes.c_char * 40)()
    numbers = (ctypes.c_int8(-3), ctypes.c_uint16(65535), ctypes.c_bool(True))
    more = (ctypes.c_float(0.5), ctypes.c_char_p(b"x"), ctypes.c_longlong(-1))
    post.post_print(office, line, 40, "%d %d %d %g %s %lld", *numbers, *more)
    assert line.value == b"-3 65535 1 0.5 x -1"


@pytest.mark.parametrize("value", [object(), [1], lambda: 1, memoryview(b"a"), 1j])
def test_a_variadic_function_takes_only_what_c_has(
    post: Any, office: Any, value: Any
) -> None:
    with pytest.raises(TypeError, match=r"post_print: \.\.\.: nothing that C could be"):
        post.post_print(office, None, 0, "%p", value)


def test_odd_prototypes_are_what_c_has(tmp_path: Path, exhaustive: bool) -> None:
    """Each of odd.h: the package agrees with C on it, and calls it right."""
    out = tmp_path / "out"
    options = ("--spec", POST / "odd.toml", "--include", POST, "--out", out)
    made = xenbind("generate", *options)
    assert made.returncode == 0, made.stderr
    assert [line.split(": ")[2] for line in made.stderr.splitlines()] == [
        "visit is left out"  # which is no type of a value
    ]
    for compiler in ("gcc", "clang") if exhaustive else ("gcc",):
        verified = xenbind("verify", *options, CC=compiler)
        assert "0 mismatches" in verified.stdout, verified.stdout + verified.stderr
        ran = own_tests(out, CC=compiler)
        assert ran.returncode == 0, ran.stdout

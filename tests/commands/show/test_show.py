"""The pictures of `show`: as accepted, and true to what ctypes and C say of the bytes."""

from __future__ import annotations

import ctypes
import importlib
import io
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from golden_files import check_golden
from rich.console import Console
from support import NEWEST, PROJECT, SPEC, tree, xenbind
from xen_vm_event import VERSIONS
from xenbind import spec
from xenbind.commands.show.as_json import as_json
from xenbind.commands.show.svg import svg
from xenbind.commands.show.text import summary
from xenbind.commands.show.text import text as draw
from xenbind.commands.show.view import GroupView, Overview, RecordView, show
from xenbind.errors import XenbindError, describe
from xenbind.ir.interface import Interface
from xenbind.ir.parts import Kind, Part
from xenbind.options import job_of, named_interface
from xenbind.pipeline import read
from xenbind.toolchain.compiler import find_compiler

GOLDEN = PROJECT / "tests" / "golden" / "show"
EDITIONS = [version.edition for version in spec.load(SPEC).versions]

GAPS = """\
#define VM_EVENT_INTERFACE_VERSION 1

struct inner {
    uint8_t tag;
    uint16_t length;
};

/* Bytes of no member before, between and after others. */
struct gaps {
    uint8_t first;         /* A hole of three bytes follows. */
    uint32_t second;
    struct inner items[2];
    uint32_t low : 4;
    uint32_t : 3;
    uint32_t high : 5;     /* The rest of the unit is free. */
    uint64_t wide;
    union {
        uint8_t bytes[5];
        uint32_t word;
    } both;
    uint8_t last;
};

struct bits {
    uint8_t first;
    uint32_t : 4;
    uint32_t one : 1;
    uint32_t unit : 30;
    uint16_t : 0;
    uint16_t end : 3;
};
"""


@cache
def version(number: int | str) -> Interface:
    path = SPEC.relative_to(PROJECT)
    found = named_interface(job_of(path), spec.load(path), str(number))
    assert found.has_spans, "what is stored is not current: run `xenbind generate`"
    return found


@pytest.fixture(autouse=True)
def in_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers are then named from the project's folder, wherever that is."""
    monkeypatch.chdir(PROJECT)


@pytest.fixture
def gaps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Interface:
    monkeypatch.chdir(tmp_path)
    tree(tmp_path / "tree", GAPS)
    loaded = spec.load(SPEC).for_tree(Path("tree"))
    return read(loaded, loaded.versions[0], find_compiler())


def text(view: Any, width: int = 100, **options: Any) -> str:
    file = io.StringIO()
    soft_wrap = options.pop("soft_wrap", False)
    console = Console(file=file, width=width, **options)
    console.print(draw(view), soft_wrap=soft_wrap)
    return file.getvalue()


def record(interface: Interface, name: str, expand: bool = False) -> RecordView:
    view = show(interface, name, expand)
    assert isinstance(view, RecordView)
    return view


@pytest.mark.parametrize(
    ("name", "number", "shown", "expand"),
    [
        ("overview", 7, None, False),
        ("struct", 7, "vm_event_st", False),
        ("struct_expanded", 1, "vm_event_st", True),
        ("ring", 7, "vm_event_front_ring_t", False),
        ("bit_fields", 7, "vm_event_x86_selector_reg", False),
        ("union", 7, "vm_event_st.u", False),
        ("flags", 7, "VmEventFlag", False),
        ("values", 1, "VM_EVENT_REASON_", False),
    ],
)
def test_picture(name: str, number: int, shown: str | None, expand: bool) -> None:
    view = show(version(number), shown, expand)
    check_golden(GOLDEN / f"{name}.txt", text(view))


@pytest.mark.parametrize("name", ["gaps", "bits"])
def test_picture_of_holes_and_padding(gaps: Interface, name: str) -> None:
    check_golden(GOLDEN / f"{name}.txt", text(show(gaps, name, expand=True)))


@pytest.mark.parametrize(
    ("name", "shown", "expand"),
    [
        ("struct", "vm_event_mem_access", False),
        ("bit_fields", "vm_event_x86_selector_reg", False),
        ("union_expanded", "vm_event_st.u", True),
    ],
)
def test_svg(name: str, shown: str, expand: bool) -> None:
    check_golden(GOLDEN / f"{name}.svg", svg(record(version(NEWEST), shown, expand)))


@pytest.mark.parametrize("name", ["gaps", "bits"])
def test_svg_of_holes_and_padding(gaps: Interface, name: str) -> None:
    check_golden(GOLDEN / f"{name}.svg", svg(record(gaps, name, expand=True)))


@pytest.mark.parametrize("number", EDITIONS)
def test_a_box_of_svg_is_where_its_bytes_are(number: str) -> None:
    """Ten units are a bit, behind 57 of offsets; a box ends a little before the next."""
    for found in version(number).records:
        view = record(version(number), found.key.rpartition(" ")[2])
        drawn = ElementTree.fromstring(svg(view))
        first: dict[str, float] = {}
        for group in drawn.iter("{http://www.w3.org/2000/svg}g"):
            title, rect = group[0].text or "", group[1]
            first.setdefault(title.partition(":")[0], float(rect.attrib["x"]))
        named = [part for part in view.parts if part.name and part.size]
        assert {name: first[name] for name in (part.name for part in named)} == {
            part.name: 57 + 80 * (part.offset % 8) + 10 * (part.bits or (0, 0))[0]
            for part in named
        }


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("7", "--svg"), "only a struct or union has a picture"),
        (("7", "VmEventFlag", "--svg"), "only a struct or union has a picture"),
        (
            ("7", "vm_event_st", "--svg", "--json"),
            "--json and --svg are two answers",
        ),
    ],
)
def test_what_has_no_picture(arguments: tuple[str, ...], error: str) -> None:
    shown = xenbind("show", *arguments)
    assert f"error: {error}\n  help: " in shown.stderr
    assert (shown.stdout, shown.returncode) == ("", 2)


@cache
def post() -> Interface:
    """The interface of a library."""
    folder = Path("tests/data/functions")
    loaded = spec.load(folder / "post.toml").for_tree(folder)
    return read(loaded, loaded.versions[0], find_compiler())


@pytest.mark.parametrize("name", [None, "post_open", "post_print"])
def test_picture_of_functions(name: str | None) -> None:
    check_golden(GOLDEN / f"{name or 'functions'}.txt", text(show(post(), name)))


def test_json_of_a_function() -> None:
    answer = json.dumps(as_json(show(post(), "post_open")), indent=2) + "\n"
    check_golden(GOLDEN / "post_open.json", answer)
    listed = as_json(show(post()))["functions"]
    assert [each["name"] for each in listed] == [f.name for f in post().functions]


def test_a_function_that_is_not_there_is_told_with_its_like() -> None:
    with pytest.raises(XenbindError, match="no struct, union, function or constant"):
        show(post(), "post_opens")


@pytest.mark.parametrize("name", ["vm_event_desc_access", "VmEventX86", None])
def test_json(name: str | None) -> None:
    view = show(version(7), name, expand=True)
    answer = json.dumps(as_json(view), indent=2) + "\n"
    check_golden(GOLDEN / f"{name or 'overview'}.json", answer)


# --- names ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "vm_event_st",
        "struct vm_event_st",
        " struct  vm_event_st ",
        "vm_event_request_t",
        "vm_event_sring_entry.req",
        "vm_event_sring.ring.rsp",
    ],
)
def test_a_record_by_any_name(name: str) -> None:
    assert record(version(7), name).record.key == "struct vm_event_st"


@pytest.mark.parametrize(("name", "size"), [("pair", 4), ("struct pair", 8)])
def test_a_tag_that_is_a_typedefs_name_too(
    name: str, size: int, tmp_path: Path
) -> None:
    header = "typedef struct { int a; } pair; struct pair { pair a, b; };\n"
    (tmp_path / "h.h").write_text(header)
    spec = tmp_path / "spec.toml"
    spec.write_text('[interface]\nname = "h"\npackage = "h"\nheader = "h.h"\n')
    shown = xenbind("show", "--spec", spec, name, "--json")
    assert json.loads(shown.stdout)["size"] == size


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("vm_event_st.u", "union vm_event_st.u"),
        ("struct vm_event_st.data.regs", "union vm_event_st.data.regs"),
        ("vm_event_st.data.regs.x86.cs", "struct vm_event_x86_selector_reg"),
    ],
)
def test_a_record_by_its_path(name: str, title: str) -> None:
    assert record(version(7), name).name == title


@pytest.mark.parametrize(
    "name",
    [
        "VmEventFlag",
        "VM_EVENT_FLAG_",
        "VM_EVENT_FLAG",
        "VM_EVENT_FLAG_*",
        "VM_EVENT_FLAG_DENY",
        "vm_event_st.flags",
    ],
)
def test_a_group_by_any_name(name: str) -> None:
    view = show(version(7), name)
    assert isinstance(view, GroupView)
    assert view.group.name == "VmEventFlag"


def test_the_constant_that_was_asked_for_is_marked() -> None:
    for name in ("VM_EVENT_REASON_CPUID", " VM_EVENT_REASON_UNKNOWN "):
        marked = [
            line for line in text(show(version(7), name)).splitlines() if "> " in line
        ]
        (line,) = marked
        assert line.split()[2] == name.strip()
    for name in ("VmEventReason", "vm_event_st.reason", "VM_EVENT_INTERFACE_VERSION"):
        assert "> " not in text(show(version(7), name))


def test_a_constant_of_no_group_is_shown_alone() -> None:
    view = show(version(7), "VM_EVENT_INTERFACE_VERSION")
    assert isinstance(view, GroupView)
    assert [constant.value for constant in view.group.members] == [7]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("vm_event_stt", "did you mean vm_event_st or "),
        ("vmeventflag", "did you mean VmEventFlag or "),
        ("regs", "did you mean vm_event_regs_x86 or vm_event_regs_arm or "),
        ("vm_event_st.nothing", "did you mean vm_event_st?"),
        ("vm_event_st.vcpu_id", "did you mean vm_event_st?"),
        ("vm_event_st.u.mem_acces", "did you mean vm_event_st.u.mem_access"),
        ("union vm_event_st.U.mem_access", "did you mean vm_event_st.u.mem_access"),
        ("vm_event_st.data.reg.x86.c", "did you mean vm_event_st.data.regs.x86.cs"),
        ("vm_event_stt.u.cpui", "did you mean vm_event_st.u.cpuid"),
        (
            "vm_event_st.u.access",
            "did you mean vm_event_st.u.mem_access or vm_event_st.u.desc_access?",
        ),
        ("vm_event_st.flag", "did you mean vm_event_st.flags?"),
        ("vm_event_st.", "did you mean vm_event_st"),
        ("qqq.mem_access", "leave the name out to see all that there are"),
        ("qqq", "leave the name out to see all that there are"),
    ],
)
def test_an_unknown_name_is_told_with_its_like(name: str, advice: str) -> None:
    with pytest.raises(XenbindError) as caught:
        show(version(7), name)
    message = f"vm_event version 7 has no struct, union or constant '{name}'"
    assert describe(caught.value).startswith(
        f"xenbind: error: {message}\n  help: {advice}"
    )


def test_every_path_that_is_suggested_can_be_typed() -> None:
    for wrong in ("vm_event_stt.u.mem_acces", "vm_event_st.data.regs.x87.ds", "regs.x"):
        with pytest.raises(XenbindError) as caught:
            show(version(7), wrong)
        names = caught.value.advice.removeprefix("did you mean ").removesuffix("?")
        for name in names.split(" or "):
            assert isinstance(show(version(7), name), RecordView)


def test_the_overview_names_everything_once() -> None:
    interface = version(7)
    view = show(interface)
    assert isinstance(view, Overview)
    assert len(view.records) == len({row.name for row in view.records})
    assert {row.record for row in view.records} == set(interface.records)
    members = [constant for group in view.groups for constant in group.members]
    assert {*members, *view.constants} == set(interface.constants)
    for row in view.records:
        assert record(interface, row.name).record == row.record


# --- the bytes -----------------------------------------------------------------------


@pytest.mark.parametrize("number", EDITIONS)
def test_places_are_those_of_the_generated_package(number: str) -> None:
    """ctypes lays the classes out by itself, and is asked about each member."""
    module = importlib.import_module(f"xen_vm_event.v{number}")
    compared = 0
    for found in version(number).records:
        if found.tag:
            view = record(version(number), found.tag, expand=True)
            compared += compare(view.parts, getattr(module, found.tag), 0)
    assert compared > 100


def compare(parts: tuple[Part, ...], cls: Any, base: int) -> int:
    """Compare members, nested ones too, with a generated class; tells how many."""
    members = {member.c_name: member for member in cls._members_}
    named = [part for part in parts if part.kind is Kind.MEMBER]
    assert [part.name for part in named] == list(members)
    count = len(named)
    for part in named:
        member = members[part.name]
        place = cls.__dict__[member.name]
        assert part.offset == base + place.offset, part.name
        if part.bits is None:
            assert part.size == place.size, part.name
        else:
            # ctypes keeps a bit-field's width above its position in one number.
            width, lowest = place.size >> 16, place.size & 0xFFFF
            assert part.bits == (lowest, lowest + width - 1), part.name
        if part.parts:
            kind = member.type
            while issubclass(kind, ctypes.Array):
                kind = kind._type_
            count += compare(part.parts, kind, part.offset)
    return count


@pytest.mark.parametrize("number", EDITIONS)
def test_every_bit_is_in_one_part(number: str) -> None:
    for found in version(number).records:
        name = found.key.rpartition(" ")[2]
        assert_whole(record(version(number), name, expand=True))


@pytest.mark.parametrize("name", ["inner", "gaps", "bits"])
def test_every_bit_is_in_one_part_of_a_record_with_gaps(
    gaps: Interface, name: str
) -> None:
    assert_whole(record(gaps, name))


def assert_whole(view: RecordView) -> None:
    taken = [bit for part in view.parts for bit in bits(part)]
    if view.record.kind == "union":
        assert set(taken) == set(range(8 * view.record.size)), view.name
    else:
        assert taken == list(range(8 * view.record.size)), view.name


def bits(part: Part) -> Iterator[int]:
    lowest, highest = part.bits or (0, 8 * part.size - 1)
    return iter(range(8 * part.offset + lowest, 8 * part.offset + highest + 1))


# --- consoles ------------------------------------------------------------------------


@pytest.mark.parametrize("name", [None, "vm_event_st", "vm_event_st.u", "VmEventFlag"])
def test_a_narrow_terminal_has_beneath_what_does_not_fit(
    name: str | None,
) -> None:
    """Every word is there, but the names of columns that are none."""
    view = show(version(7), name)
    narrow = text(view, width=60)
    assert max(len(line) for line in narrow.splitlines()) <= 60
    assert "…" not in narrow
    left_out = set(text(view, width=1000).split()) - set(narrow.split())
    assert left_out <= {"type", "prefix"}


@pytest.mark.parametrize("width", [10, 30, 45])
def test_names_are_cut_where_not_even_they_fit(width: int) -> None:
    lines = text(show(version(7)), width=width).splitlines()
    assert max(len(line) for line in lines) == width
    assert any(line.endswith("…") for line in lines)


def test_a_terminal_with_room_for_half_a_sentence_has_that_in_the_row() -> None:
    lines = text(show(version(7), "VmEventFlag"), width=90).splitlines()
    assert max(len(line) for line in lines) == 90
    assert any(line.endswith("…") for line in lines)


def test_rows_go_whole_into_a_pipe() -> None:
    view = record(version(7), "vm_event_x86_selector_reg")
    whole = text(view, width=50, soft_wrap=True)
    assert "…" not in whole
    assert summary(view.parts[1].doc) in whole


def test_colour_is_for_terminals() -> None:
    view = show(version(7), "vm_event_st.u")
    assert "\x1b" not in text(view)
    assert "\x1b[" in text(view, force_terminal=True, color_system="standard")


def test_what_a_header_says_cannot_command_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    header = (
        '#define VM_EVENT_INTERFACE_VERSION 1\n#define TITLE "\\033]0;\\007"\n'
        "/* \x1b[31m and [red]markup[/red] */\nstruct red { uint32_t one; };\n"
    )
    tree(tmp_path / "tree", header)
    loaded = spec.load(SPEC).for_tree(Path("tree"))
    interface = read(loaded, loaded.versions[0], find_compiler())
    for name in (None, "red"):
        shown = text(show(interface, name))
        assert "\x1b" not in shown
        assert "[red]markup[/red]" in shown


@pytest.mark.parametrize(
    ("doc", "sentence"),
    [
        ("One. Two.", "One."),
        ("Kinds, e.g. This one. More.", "Kinds, e.g. This one."),
        ("Bits 0.. of x. They\nwrap.", "Bits 0.. of x."),
        ("No full stop\n\nnext paragraph", "No full stop"),
        ("", ""),
    ],
)
def test_summary(doc: str, sentence: str) -> None:
    assert summary(doc) == sentence


ALL_VERSIONS = (
    f"name one of the versions {', '.join(map(str, VERSIONS))}, or a Xen release, 4.6 to"
    f" {max(VERSIONS.items())[1][-1]}, or a version of a library (xenctrl/4, xenevtchn/1,"
    " xenforeignmemory/1, xentoollog/1), or a folder with vm_event.h\n"
)
XENCTRL = (
    "name one behind xenctrl/: one of the versions 4, or a Xen release, 4.6 to 4.22\n"
)


@pytest.mark.parametrize(
    ("wanted", "error", "advice"),
    [
        ("999", "'999' is neither a version nor a folder", ALL_VERSIONS),
        ("xenfoo/1", "'xenfoo/1' is neither a version nor a folder", ALL_VERSIONS),
        ("xenctrl", "'xenctrl' is a library, and has versions", XENCTRL),
        ("xenctrl/", "'xenctrl' is a library, and has versions", XENCTRL),
        ("xenctrl/9.9", "xenctrl has no version '9.9'", XENCTRL),
    ],
)
def test_a_version_that_is_none_is_told_with_those_that_are(
    wanted: str, error: str, advice: str
) -> None:
    shown = xenbind("show", wanted, cwd=PROJECT)
    assert shown.stderr == f"xenbind: error: {error}\n  help: {advice}"
    assert shown.stdout == ""

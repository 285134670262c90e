"""The numbers in an atlas's page are those that ctypes and C compilers say, by themselves."""

from __future__ import annotations

import ctypes
import importlib
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from atlases import atlas_of, data_of, layout, members, own_atlas
from c_compiler import GCC, compile_c
from golden_files import check_golden
from support import NEWEST_HEADERS, PROJECT, SPEC, xenbind
from xen_vm_event import VERSIONS
from xenbind import spec

EDITIONS = [version.edition for version in spec.load(SPEC).versions]
GOLDEN = PROJECT / "tests" / "golden" / "atlas"


@pytest.fixture(scope="module")
def page() -> Path:
    return own_atlas()


@pytest.fixture(scope="module")
def data(page: Path) -> Any:
    return data_of(page)


def test_it_has_every_release(data: Any) -> None:
    editions = data["chapters"][0]["editions"]
    shown = [release for edition in editions for release in edition["releases"]]
    assert shown == [release for each in VERSIONS.values() for release in each]
    assert len(editions) == len(EDITIONS)


@pytest.mark.parametrize("place", range(len(EDITIONS)), ids=EDITIONS)
def test_places_are_those_of_ctypes(data: Any, place: int) -> None:
    """ctypes lays the generated classes out by itself."""
    module = importlib.import_module(f"xen_vm_event.v{EDITIONS[place]}")
    edition = data["chapters"][0]["editions"][place]
    compared = 0
    for key, (x86_64, *_) in edition["records"].items():
        name = key.partition(" ")[2]
        if "." in name:
            continue
        compared += compare(data, edition, x86_64, getattr(module, name))
    assert compared > 100


def compare(data: Any, edition: Any, index: int, cls: Any) -> int:
    found = layout(data, index)
    assert found["size"] == ctypes.sizeof(cls)
    assert found["alignment"] == ctypes.alignment(cls)
    own = {member.c_name: member for member in cls._members_}
    count = len(own)
    assert [part["name"] for part in members(found)] == list(own)
    for part in members(found):
        member = own[part["name"]]
        place = cls.__dict__[member.name]
        assert part["offset"] == place.offset
        if part["bits"] is None:
            assert part["size"] == place.size
        else:
            width, lowest = place.size >> 16, place.size & 0xFFFF
            assert part["bits"] == [lowest, lowest + width - 1]
        kind, lengths = member.type, []
        while issubclass(kind, ctypes.Array):
            lengths.append(kind._length_)
            kind = kind._type_
        assert part["lengths"] == lengths
        if part["record"]:
            count += compare(data, edition, edition["records"][part["record"]][0], kind)
    return count


@pytest.mark.parametrize("place", range(len(EDITIONS)), ids=EDITIONS)
def test_constants_are_those_of_the_package(data: Any, place: int) -> None:
    module = importlib.import_module(f"xen_vm_event.v{EDITIONS[place]}")
    edition = data["chapters"][0]["editions"][place]
    for index in edition["groups"]:
        _, _, _, constants = data["groups"][index]
        for name, value, *_ in constants:
            assert getattr(module, name) == int(value)


@pytest.mark.parametrize("abi", GCC)
def test_places_are_those_of_c_on_each_target(data: Any, abi: str) -> None:
    """gcc's cross compilers measure the newest header's structs, which have a name."""
    edition = data["chapters"][0]["editions"][-1]
    expressions, expected = [], []
    for key, indices in edition["records"].items():
        if "." in key:
            continue
        found = layout(data, indices[data["abis"].index(abi)])
        expressions.append(f"sizeof({key})")
        expected.append(found["size"])
        for part in members(found):
            if part["bits"] is None:
                expressions.append(f"__builtin_offsetof({key}, {part['name']})")
                expected.append(part["offset"])
    assert expressions
    libc = PROJECT / "codegen" / "xenbind" / "toolchain" / "libc"
    text = (
        "#define __XEN_TOOLS__ 1\n#include <stdint.h>\n#include <stddef.h>\n"
        f'#include <string.h>\n#include "{NEWEST_HEADERS}/vm_event.h"\n'
        f"const uint64_t measured[] = {{ {', '.join(expressions)} }};\n"
    )
    said = compile_c(text, f"{GCC[abi]} -isystem {libc} -I{PROJECT}/headers")
    assert list(struct.unpack(f"<{len(expected)}Q", said["measured"])) == expected


def test_every_bit_is_in_one_part(data: Any) -> None:
    for index in range(len(data["layouts"])):
        found = layout(data, index)
        taken = [bit for part in found["parts"] for bit in bits_of(part)]
        if found["kind"] == "union":
            assert set(taken) == set(range(8 * found["size"]))
        else:
            assert taken == list(range(8 * found["size"]))


def bits_of(part: dict[str, Any]) -> range:
    start = 8 * part["offset"]
    low, high = part["bits"] or (0, 8 * part["size"] - 1)
    return range(start + low, start + high + 1)


def test_the_same_layout_is_there_once(data: Any, page: Path) -> None:
    assert len({str(each) for each in data["layouts"]}) == len(data["layouts"])
    assert page.stat().st_size < 2_000_000


def test_a_page_has_all_that_it_needs(page: Path) -> None:
    """Its policy lets it fetch nothing, and nothing in it asks for anything."""
    text = page.read_text(encoding="utf-8")
    assert "Content-Security-Policy\" content=\"default-src 'none';" in text
    assert not re.findall(r"https?://|src=|@import|fetch\(|XMLHttp", text)


CODE = """\
#define VM_EVENT_INTERFACE_VERSION 1
/* Ends the page: </script><script>alert(1)</script> */
struct sly { int one; };
"""


def test_words_of_a_header_cannot_end_the_data(tmp_path: Path) -> None:
    headers = tmp_path / "headers"
    headers.mkdir()
    (headers / "vm_event.h").write_text(CODE)
    page = atlas_of(tmp_path / "out", "--include", headers)
    found = layout(data_of(page), 0)
    assert "</script>" in data_of(page)["words"][found["doc"]]


def test_a_spec_without_releases_has_its_versions(tmp_path: Path) -> None:
    (tmp_path / "h.h").write_text("struct pair { char first; long second; };\n")
    spec_file = tmp_path / "own.toml"
    spec_file.write_text(
        '[interface]\nname = "own"\npackage = "own"\nheader = "h.h"\n'
        '[[version]]\nnumber = 3\ndirectory = "."\n'
    )
    data = data_of(atlas_of(tmp_path / "out", "--spec", spec_file))
    (edition,) = data["chapters"][0]["editions"]
    assert (edition["link"], edition["name"]) == ("3", "3")
    places = dict(zip(data["abis"], edition["records"]["struct pair"], strict=True))
    assert layout(data, places["x86_64"])["size"] == 16
    assert layout(data, places["i386"])["size"] == 8


def test_a_tree_has_a_chapter_for_each_header(tmp_path: Path) -> None:
    headers = tmp_path / "tree"
    (headers / "io").mkdir(parents=True)
    (headers / "pair.h").write_text("struct pair { char first; long second; };\n")
    (headers / "io" / "disk.h").write_text(
        '#include "../pair.h"\nstruct disk { struct pair pairs[2]; };\n'
    )
    (headers / "empty.h").write_text("#define NOTHING 1\n")
    data = data_of(atlas_of(tmp_path / "out", "--tree", headers))
    links = {e["link"]: e for c in data["chapters"] for e in c["editions"]}
    assert sorted(links) == ["io/disk", "pair"]
    assert links["io/disk"]["own"] == ["struct disk"]
    assert len(set(links["pair"]["records"]["struct pair"])) == 2  # 64 bits, and 32


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("file_in_the_way", ("--out", "taken")),
        ("folder_in_the_way", ("--out", "page")),
        ("no_struct", ("--include", "bare")),
    ],
)
def test_errors(tmp_path: Path, name: str, arguments: tuple[str, ...]) -> None:
    (tmp_path / "taken").write_text("")
    (tmp_path / "page" / "index.html").mkdir(parents=True)
    for folder, text in (("bare", ""), ("tiny", "struct one { int one; };\n")):
        (tmp_path / folder).mkdir()
        version = "#define VM_EVENT_INTERFACE_VERSION 1\n"
        (tmp_path / folder / "vm_event.h").write_text(version + text)
    include = () if "--include" in arguments else ("--include", "tiny")
    found = xenbind("atlas", "--spec", SPEC, *include, *arguments, cwd=tmp_path)
    message = found.stderr.replace(str(PROJECT), "PROJECT")
    check_golden(GOLDEN / f"{name}.txt", f"{message}exit status {found.returncode}\n")
    assert not found.stdout

"""Members of random records, read and written through Python's own interface, against C.

The judge is the generated package's own tests: C fills, Python reads, copies, projects and
assigns, C reads.  Here they run on headers of random declarations.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import Phase, given, settings
from random_records import Declared, batches, declare
from support import own_tests, xenbind

SIZE, TOGETHER = 100, 5
SPEC = """\
[interface]
name = "random"
package = "random_records"
header = "random.h"
"""


def generated(batch: tuple[Declared, ...], folder: Path) -> Path:
    """A package of the batch."""
    (folder / "random.h").write_text(declare(batch))
    (folder / "spec.toml").write_text(SPEC)
    out = folder / "out"
    options = ("--spec", folder / "spec.toml", "--include", folder, "--out", out)
    made = xenbind("generate", *options)
    assert made.returncode == 0, made.stderr
    return out


def drawn(count: int) -> list[tuple[Declared, ...]]:
    """Random batches; the first that hypothesis draws is hardly random, and left out."""
    found: list[tuple[Declared, ...]] = []

    @settings(max_examples=count + 1, phases=[Phase.generate])
    @given(batches(SIZE))
    def draw(batch: tuple[Declared, ...]) -> None:
        found.append(batch)

    draw()
    return found[1:]


def together(found: Sequence[tuple[Declared, ...]]) -> tuple[Declared, ...]:
    """Several batches as one: starting Python and pytest takes longer than a batch."""
    return tuple(
        replace(
            declared,
            text=re.sub(r"\brecord(\d+)", rf"record{index}_\1", declared.text),
        )
        for index, batch in enumerate(found)
        for declared in batch
    )


def test_random_records_are_used_as_c_uses_them(
    exhaustive: bool, tmp_path: Path
) -> None:
    found = drawn(100 if exhaustive else 1)
    for index in range(0, len(found), TOGETHER):
        folder = tmp_path / str(index)
        folder.mkdir()
        done = own_tests(generated(together(found[index : index + TOGETHER]), folder))
        assert done.returncode == 0, f"{folder}: {done.stdout[-3000:]}"
        shutil.rmtree(folder)


# What the runtime might do wrong, and what it does: the package's own tests notice.
FAULTS = {
    "a char array ends at its NUL": (
        "records.py",
        "return ctypes.string_at(ctypes.addressof(record) + self.offset, self.size)",
        "return ctypes.string_at(ctypes.addressof(record) + self.offset)",
    ),
    "a char array is read beside its place": (
        "records.py",
        "place = ctypes.addressof(record) + self.offset\n",
        "place = ctypes.addressof(record)\n",
    ),
    "a placed bit-field has no sign": (
        "placed.py",
        "if self._signed and value",
        "if not value + 1 and value",
    ),
    "a placed _Bool takes the lowest bit": (
        "placed.py",
        "bool if member.type is ctypes.c_bool else index",
        "index",
    ),
    "a copy shares its memory": (
        "records.py",
        "return cls.from_buffer_copy(octets)",
        "return cls.from_buffer(octets)",
    ),
    "a recording begins late": ("recording.py", "range(0, len", "range(size, len"),
    "a column's bit-field begins at its byte": (
        "arrays.py",
        "return _bits(_view(records, record, first, form), above, found)",
        "return _bits(_view(records, record, first, form), 0, found)",
    ),
    "a projection mixes up its members": (
        "projection.py",
        'code = {1: "b", 2: "h", 4: "i", 8: "q"}[place.size]',
        'code = {1: "b", 2: "h", 4: "q", 8: "q"}[place.size]',
    ),
}

HEADER = """\
struct held {
    int count;
    char name[6];
    long wide;
    short first : 3, second : 9;
};
struct packed {
    char tag;
    _Bool one : 1;
    _Bool two : 1;
    int signed_bits : 7;
    char name[5];
    struct held held;
    float part;
} __attribute__((packed));
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    (folder / "random.h").write_text(HEADER)
    (folder / "spec.toml").write_text(SPEC)
    out = folder / "out"
    options = ("--spec", folder / "spec.toml", "--include", folder, "--out", out)
    assert xenbind("generate", *options).returncode == 0
    return out


def test_without_a_fault_its_own_tests_pass(package: Path) -> None:
    assert own_tests(package).returncode == 0


@pytest.mark.parametrize("fault", FAULTS)
def test_its_own_tests_notice_a_fault(fault: str, package: Path) -> None:
    name, right, wrong = FAULTS[fault]
    path = package / "random_records" / "runtime" / name
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong))
    try:
        assert own_tests(package).returncode == 1
    finally:
        path.write_text(text)

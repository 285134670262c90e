"""The layout rules as a property: random declarations, as compilers for every ABI lay them out."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType
from uuid import uuid4

import pytest
from c_compiler import CLANG, GCC, compile_c
from hypothesis import Phase, given, seed, settings
from random_records import Declared, answers, batches, declare, questions
from support import PROJECT
from xenbind.backend.module import module_view
from xenbind.backend.render import Templates
from xenbind.frontend.parse import parse
from xenbind.ir import layout
from xenbind.ir.abi import ABIS
from xenbind.ir.c_types import Array, CType, RecordRef
from xenbind.ir.interface import Interface
from xenbind.ir.records import Records
from xenbind.lowering.context import Context
from xenbind.lowering.type_table import TypeTable
from xenbind.source import Sources

# Declarations for each target and compiler: some here, the full number in CI.
SIZE = 100
EXAMPLES = 31 if os.environ.get("CI") else 2  # the first is hardly random
COMPILERS = {
    f"{name} {target}": (target, compilers[target])
    for name, compilers in (("gcc", GCC), ("clang", CLANG))
    for target in ABIS
}
Facts = dict[str, int | tuple[int, int]]
Drawn = list[tuple[str, tuple[Declared, ...], list[Facts]]]


def type_table(batch: tuple[Declared, ...], target: str) -> TypeTable:
    """The batch read as a header is, every record lowered."""
    sources = Sources()
    parsed = parse(declare(batch), [], sources)
    types = TypeTable(Context("", parsed.declarations, sources), ABIS[target])
    for declared in batch:
        types.type(types.declared.records[declared.name], "")
    return types


def said_by_xenbind(batch: tuple[Declared, ...], target: str) -> list[Facts]:
    """What the headers' own way through the generator makes of a batch."""
    types = type_table(batch, target)
    found = []
    for declared in batch:
        record = types.records[declared.name]
        facts: Facts = {"size": record.size, "alignment": record.alignment}
        facts.update(facts_of_members(types, RecordRef("", declared.name), "", 0))
        wanted = ["size", "alignment", *declared.plain, *declared.bits]
        found.append({name: facts[name] for name in wanted})
    return found


def said_by_classes(batch: tuple[Declared, ...], folder: Path) -> list[Facts]:
    """What the generated classes say, imported from a package in `folder`."""
    types = type_table(batch, "x86_64")
    interface = Interface(
        "random",
        1,
        "random.h",
        "x86_64",
        (),
        (),
        tuple(types.records.values()),
        (),
        tuple(types.used_typedefs.values()),
        (),
        None,
        (),
    )
    view = module_view(interface, "random.h", ())
    package = folder / f"random_{uuid4().hex}"
    shutil.copytree(PROJECT / "templates" / "package", package)
    text = Templates().text("package/version.py.jinja", {"module": view})
    (package / "v1.py").write_text(text)
    (package / "__init__.py").touch()
    module = importlib.import_module(f"{package.name}.v1")
    found = importlib.import_module(f"{package.name}.layout").facts(module)
    return [
        {
            "size": found[f"{one.name} size"],
            "alignment": found[f"{one.name} alignment"],
            **{path: found[f"{one.name}.{path} offset"] for path in one.plain},
            **{
                path: tuple(
                    found[f"{one.name}.{path} bit_{what}"]
                    for what in ("offset", "width")
                )
                for path in one.bits
            },
        }
        for one in batch
    ]


def facts_of_members(types: TypeTable, ref: CType, path: str, base: int) -> Facts:
    facts: Facts = {}
    if isinstance(ref, Array):
        return facts_of_members(
            types, ref.element, path.removesuffix(".") + "[0].", base
        )
    if not isinstance(ref, RecordRef):
        return facts
    for field in types.records[ref.key].fields:
        name, offset = f"{path}{field.name}", base + field.offset
        if field.bit_width is None:
            facts[name] = offset
            facts.update(facts_of_members(types, field.type, f"{name}.", offset))
        else:
            facts[name] = (8 * offset + (field.bit_offset or 0), field.bit_width)
    return facts


def disagreements(batch: tuple[Declared, ...], name: str) -> list[str]:
    """The members of a batch on which the generator and a compiler differ."""
    target, compiler = COMPILERS[name]
    truth = answers(batch, compile_c(questions(batch), compiler))
    return list(differences(batch, truth, said_by_xenbind(batch, target), name))


def differences(
    batch: tuple[Declared, ...], truth: Iterable[Facts], said: list[Facts], name: str
) -> Iterator[str]:
    for declared, true, facts in zip(batch, truth, said, strict=True):
        for fact in true:
            if true[fact] != facts[fact]:
                yield (
                    f"{declared.name}.{fact}: {name} says {true[fact]}, we {facts[fact]}:"
                    f" {declared.text}"
                )


# A failure names its culprits; shrinking would compile a thousand times.
@settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate])
@given(batches(SIZE))
def test_random_records_as_compilers_lay_them_out(batch: tuple[Declared, ...]) -> None:
    for name in COMPILERS:
        assert disagreements(batch, name) == []


@settings(max_examples=EXAMPLES, deadline=None, phases=[Phase.generate])
@given(batches(SIZE))
def test_the_generated_classes_agree_with_gcc(batch: tuple[Declared, ...]) -> None:
    truth = answers(batch, compile_c(questions(batch), "gcc"))
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        said = said_by_classes(batch, Path(folder))
    assert list(differences(batch, truth, said, "gcc")) == []


# A fault in each rule of layout: what stands in the module, and what would be wrong there.
FAULTS = {
    "alignment": ("1 if packed else member.alignment", "1"),
    "packed": ("1 if packed else member.alignment", "member.alignment"),
    "aligned member": ("max(member.aligned, 1 if packed", "max(0, 1 if packed"),
    "aligned record": ("alignment = aligned", "alignment = 1"),
    "pack": ("return min(alignment, member.pack) if", "return alignment if"),
    "packed bit-field below pack": ("not (member.pack and member.bits)", "True"),
    "straddling": ("if touched > 8 * member.size // step and", "if False and"),
    "straddling below pack": ("(member.packed or member.pack):", "member.packed:"),
    "bit-field alignment": (
        "if member.named or",
        "if (member.named and not member.bits) or",
    ),
    "unnamed bit-field": (
        "if member.named or unnamed_bits_align or",
        "if member.named or",
    ),
    "zero width": ("if not member.bits:", "if member.bits is None:"),
    "union offset": ('0 if kind == "union" else bit', "bit"),
    "union size": ("end = max(end, bit)", "end = bit"),
    "trailing padding": (
        "_round_up(_round_up(end, 8) // 8, alignment)",
        "_round_up(end, 8) // 8",
    ),
}


@pytest.fixture(scope="module")
def drawn() -> Drawn:
    """Random batches, and what two targets' compilers say of them."""
    found: Drawn = []

    @seed(0)
    @settings(max_examples=2, deadline=None, database=None, phases=[Phase.generate])
    @given(batches(SIZE))
    def draw(batch: tuple[Declared, ...]) -> None:
        for target in ("x86_64", "arm64"):
            truth = answers(batch, compile_c(questions(batch), GCC[target]))
            found.append((target, batch, list(truth)))

    draw()
    return found


def found_wrong(drawn: Drawn) -> bool:
    return any(
        any(differences(batch, truth, said_by_xenbind(batch, target), "gcc"))
        for target, batch, truth in drawn
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_each_rule_is_seen(
    fault: str,
    drawn: Drawn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right, wrong = FAULTS[fault]
    text = Path(str(layout.__file__)).read_text(encoding="utf-8")
    assert text.count(right) == 1
    faulty = ModuleType("faulty")
    monkeypatch.setitem(sys.modules, "faulty", faulty)
    exec(text.replace(right, wrong), faulty.__dict__)
    monkeypatch.setattr(layout, "lay_out", faulty.lay_out)
    assert found_wrong(drawn)


def test_without_a_fault_there_is_none(drawn: Drawn) -> None:
    assert not found_wrong(drawn)


def test_a_fault_in_the_stride_of_arrays_is_seen(
    drawn: Drawn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def natural(records: Records, type: CType) -> tuple[int, int]:
        size, alignment = right(records, type)
        return (size + 1 if isinstance(type, Array) and size else size), alignment

    right = Records._natural
    monkeypatch.setattr(Records, "_natural", natural)
    assert found_wrong(drawn)

"""The layout rules as a property: random declarations, as compilers for every ABI lay them out."""

from __future__ import annotations

import importlib
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import pytest
from c_compiler import CLANG, GCC, compile_c
from hypothesis import Phase, given, seed, settings
from random_records import Declared, answers, batches, declare, questions
from support import PROJECT
from xenbind.backend.module import module_view
from xenbind.backend.templates import Templates
from xenbind.errors import SourceError
from xenbind.frontend.parse import parse
from xenbind.frontend.written import Written
from xenbind.ir import layout, records
from xenbind.ir.abi import ABIS, Abi
from xenbind.ir.c_types import Array, CType, RecordRef
from xenbind.ir.interface import Interface, Record
from xenbind.ir.layout import Layout, Part
from xenbind.lowering.context import Context
from xenbind.lowering.type_table import TypeTable
from xenbind.plain import replace
from xenbind.source import Sources

# Declarations in a batch.
SIZE = 100
COMPILERS = {
    f"{name} {target}": (target, compilers[target])
    for name, compilers in (("gcc", GCC), ("clang", CLANG))
    for target in ABIS
}
Facts = dict[str, int | tuple[int, int]]
Parts = Sequence[Part]
Drawn = list[tuple[str, tuple[Declared, ...], list[Facts]]]


def type_table(batch: tuple[Declared, ...], target: str) -> TypeTable:
    """The batch read as a header is, every record lowered."""
    written = Written(declare(batch), {}, Sources())
    parsed = parse(written, [])
    types = TypeTable(Context({}, parsed.declarations, written), ABIS[target])
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
        (),
        (),
    )
    view = module_view(interface, "random.h", ())
    package = folder / f"random_{uuid4().hex}"
    shutil.copytree(PROJECT / "runtime", package / "runtime")
    text = Templates().text("package/version.py.jinja", {"module": view})
    (package / "v1.py").write_text(text)
    (package / "__init__.py").touch()
    module = importlib.import_module(f"{package.name}.v1")
    found = importlib.import_module(f"{package.name}.runtime.layout").facts(module)
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


def for_random_batches(
    count: int, check: Callable[[tuple[Declared, ...]], None], wild: bool = False
) -> None:
    """Call `check` with so many batches, the first of which is hardly random."""

    # A failure names its culprits; shrinking would compile a thousand times.
    @settings(max_examples=count, deadline=None, phases=[Phase.generate])
    @given(batches(SIZE, wild))
    def checked(batch: tuple[Declared, ...]) -> None:
        check(batch)

    checked()


@pytest.fixture
def count(exhaustive: bool) -> int:
    """How many batches are laid out by each target and compiler."""
    return 31 if exhaustive else 2


def test_random_records_as_compilers_lay_them_out(count: int) -> None:
    def check(batch: tuple[Declared, ...]) -> None:
        for name in COMPILERS:
            assert disagreements(batch, name) == []

    for_random_batches(count, check)


def test_where_compilers_differ_the_declaration_is_refused(count: int) -> None:
    def check(batch: tuple[Declared, ...]) -> None:
        for target in ABIS:
            said = [
                list(answers(batch, compile_c(questions(batch), compilers[target])))
                for compilers in (GCC, CLANG)
            ]
            for declared, gcc, clang in zip(batch, *said, strict=True):
                try:
                    (facts,) = said_by_xenbind((declared,), target)
                except SourceError:
                    continue
                assert gcc == clang == facts, (target, declared.text)

    for_random_batches(count, check, wild=True)


def test_the_generated_classes_agree_with_gcc(count: int) -> None:
    def check(batch: tuple[Declared, ...]) -> None:
        truth = answers(batch, compile_c(questions(batch), "gcc"))
        with (
            tempfile.TemporaryDirectory() as folder,
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.syspath_prepend(folder)
            said = said_by_classes(batch, Path(folder))
        assert list(differences(batch, truth, said, "gcc")) == []

    for_random_batches(count, check)


# A fault in each rule of layout: a function of the module, and a wrong one in its place. A
# wrong one asks the right one about a member that the rule does not concern, or works out
# itself what would come of a rule that somebody forgot.
RIGHT = SimpleNamespace(
    lay_out=layout.lay_out,
    start=layout._start,
    demand=layout._demand,
    limited=layout._limited,
)


def up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def no_alignment(part: Part) -> int:
    if part.bits == 0:
        return int(RIGHT.demand(part))
    return int(RIGHT.demand(replace(part, alignment=1)))


def no_packing(part: Part) -> int:
    return int(RIGHT.demand(replace(part, packed=False)))


def no_aligned_member(part: Part) -> int:
    if part.bits == 0:
        return int(RIGHT.demand(part))
    return int(RIGHT.demand(replace(part, aligned=0)))


def packed_bit_fields_below_pack(part: Part) -> int:
    if part.packed and part.pack and part.bits:
        return int(RIGHT.limited(part, max(part.aligned, 1)))
    return int(RIGHT.demand(part))


def always_straddling(part: Part, bit: int) -> int:
    # A packed member may straddle already, and its alignment is that of its attribute.
    if part.bits:
        return int(RIGHT.start(replace(part, packed=True), bit))
    return int(RIGHT.start(part, bit))


def not_straddling_below_pack(part: Part, bit: int) -> int:
    if part.bits and part.pack and not part.packed:
        bit = up(bit, 8 * RIGHT.limited(part, part.aligned) or 1)
        return int(RIGHT.start(replace(part, pack=0, aligned=0), bit))
    return int(RIGHT.start(part, bit))


def zero_width_does_nothing(part: Part, bit: int) -> int:
    if part.bits == 0:
        return up(bit, 8 * RIGHT.limited(part, part.aligned) or 1)
    return int(RIGHT.start(part, bit))


def unaligned_record(
    kind: str, parts: Parts, aligned: int = 1, unnamed_bits_align: bool = False
) -> Layout:
    return laid_out(kind, parts, 1, unnamed_bits_align)


def bit_fields_align_nothing(
    kind: str, parts: Parts, aligned: int = 1, unnamed_bits_align: bool = False
) -> Layout:
    right = laid_out(kind, parts, aligned, unnamed_bits_align)
    skipped = () if unnamed_bits_align else [part for part in parts if part.bits]
    counted = [part for part in parts if part not in skipped]
    alignment = laid_out(kind, counted, aligned, unnamed_bits_align).alignment
    return replace(right, size=up(end(kind, parts), alignment), alignment=alignment)


def unnamed_bit_fields_align_nothing(
    kind: str, parts: Parts, aligned: int = 1, unnamed_bits_align: bool = False
) -> Layout:
    right = laid_out(kind, parts, aligned, unnamed_bits_align)
    counted = [part for part in parts if part.named]
    alignment = laid_out(kind, counted, aligned, unnamed_bits_align).alignment
    return replace(right, size=up(end(kind, parts), alignment), alignment=alignment)


def unions_are_structs(
    kind: str, parts: Parts, aligned: int = 1, unnamed_bits_align: bool = False
) -> Layout:
    return laid_out("struct", parts, aligned, unnamed_bits_align)


def union_of_the_last_size(
    kind: str, parts: Parts, aligned: int = 1, unnamed_bits_align: bool = False
) -> Layout:
    right = laid_out(kind, parts, aligned, unnamed_bits_align)
    size = up(end(kind, parts[-1:]), right.alignment)
    return replace(right, size=size) if kind == "union" else right


def no_trailing_padding(
    kind: str, parts: Parts, aligned: int = 1, unnamed_bits_align: bool = False
) -> Layout:
    return replace(
        laid_out(kind, parts, aligned, unnamed_bits_align), size=end(kind, parts)
    )


def laid_out(
    kind: str, parts: Parts, aligned: int = 1, unnamed_bits_align: bool = False
) -> Layout:
    """As it is right; a wrong `lay_out` is called with keywords or without."""
    found: Layout = RIGHT.lay_out(kind, parts, aligned, unnamed_bits_align)
    return found


def end(kind: str, parts: Parts) -> int:
    """The bytes up to the end of the last bit that a member has."""
    bit, last = 0, 0
    for part in parts:
        start = RIGHT.start(part, 0 if kind == "union" else bit)
        bit = start + (8 * part.size if part.bits is None else part.bits)
        last = max(last, bit)
    return up(last, 8) // 8


def unlimited(part: Part, alignment: int) -> int:
    return alignment


FAULTS: dict[str, tuple[str, Callable[..., object]]] = {
    "alignment": ("_demand", no_alignment),
    "packed": ("_demand", no_packing),
    "aligned member": ("_demand", no_aligned_member),
    "aligned record": ("lay_out", unaligned_record),
    "pack": ("_limited", unlimited),
    "packed bit-field below pack": ("_demand", packed_bit_fields_below_pack),
    "straddling": ("_start", always_straddling),
    "straddling below pack": ("_start", not_straddling_below_pack),
    "bit-field alignment": ("lay_out", bit_fields_align_nothing),
    "unnamed bit-field": ("lay_out", unnamed_bit_fields_align_nothing),
    "zero width": ("_start", zero_width_does_nothing),
    "union offset": ("lay_out", unions_are_structs),
    "union size": ("lay_out", union_of_the_last_size),
    "trailing padding": ("lay_out", no_trailing_padding),
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
    name, wrong = FAULTS[fault]
    monkeypatch.setattr(layout, name, wrong)
    assert found_wrong(drawn)


def test_without_a_fault_there_is_none(drawn: Drawn) -> None:
    assert not found_wrong(drawn)


def test_a_fault_in_the_stride_of_arrays_is_seen(
    drawn: Drawn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def natural(
        c_type: CType, abi: Abi, find: Callable[[str], Record | None]
    ) -> tuple[int, int]:
        size, alignment = right(c_type, abi, find)
        return (size + 1 if isinstance(c_type, Array) and size else size), alignment

    right = records._natural
    monkeypatch.setattr(records, "_natural", natural)
    assert found_wrong(drawn)

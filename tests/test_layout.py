"""The layout rules: each by example, and random structs as gcc lays them out."""

from __future__ import annotations

import pytest
from c_compiler import run_c
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from xenbind.layout import Member, Place, lay_out

BYTE, HALF, WORD, LONG = (Member(size, size) for size in (1, 2, 4, 8))


def bits(unit: Member, width: int, named: bool = True) -> Member:
    return Member(unit.size, unit.alignment, width, named)


@pytest.mark.parametrize(
    ("rule", "members", "size", "places"),
    [
        ("alignment", [BYTE, WORD], 8, [Place(0), Place(4)]),
        ("trailing padding", [LONG, BYTE], 16, [Place(0), Place(8)]),
        ("no members", [], 0, []),
        (
            "bit-fields share a unit",
            [bits(WORD, 20), bits(WORD, 12)],
            4,
            [Place(0, 0), Place(0, 20)],
        ),
        (
            "none straddles",
            [bits(WORD, 20), bits(WORD, 13)],
            8,
            [Place(0, 0), Place(4, 0)],
        ),
        ("after a byte", [BYTE, bits(WORD, 8)], 4, [Place(0), Place(0, 8)]),
        (
            "zero width ends the unit",
            [bits(WORD, 3), bits(WORD, 0, named=False), bits(WORD, 3)],
            8,
            [Place(0, 0), Place(4, 0), Place(4, 0)],
        ),
        (
            "an unnamed one takes room",
            [bits(WORD, 3), bits(WORD, 5, named=False), BYTE],
            4,
            [Place(0, 0), Place(0, 3), Place(1)],
        ),
    ],
)
def test_struct(
    rule: str, members: list[Member], size: int, places: list[Place]
) -> None:
    laid_out = lay_out("struct", members)
    assert (laid_out.size, list(laid_out.places)) == (size, places), rule


def test_attributes() -> None:
    packed = Member(4, 4, packed=True)
    assert lay_out("struct", [BYTE, packed]).places == (Place(0), Place(1))
    assert lay_out("struct", [BYTE, packed], aligned=4).size == 8
    assert lay_out("struct", [BYTE, Member(4, 4, aligned=16)]).size == 32


def test_unnamed_bits() -> None:
    """They align what is around them on ARM alone."""
    members = [BYTE, bits(WORD, 3, named=False)]
    assert lay_out("struct", members).alignment == 1
    assert lay_out("struct", members, unnamed_bits_align=True).alignment == 4


def test_union() -> None:
    laid_out = lay_out("union", [BYTE, Member(6, 2), bits(WORD, 5)])
    assert (laid_out.size, laid_out.alignment) == (8, 4)
    assert laid_out.places == (Place(0), Place(0), Place(0, 0))


TYPES = {
    "uint8_t": BYTE,
    "uint16_t": HALF,
    "uint32_t": WORD,
    "uint64_t": LONG,
    "int": WORD,
}


@st.composite
def declared_members(draw: st.DrawFn) -> list[tuple[str, Member]]:
    """Declarations with `%` for the name, and the members they stand for."""
    declared = []
    for _ in range(draw(st.integers(1, 8))):
        name = draw(st.sampled_from(sorted(TYPES)))
        unit = TYPES[name]
        kind = draw(st.sampled_from(["plain", "array", "bits", "unnamed", "break"]))
        width = draw(st.integers(1, 8 * unit.size))
        if kind == "plain":
            declared.append((f"{name} %", unit))
        elif kind == "array":
            declared.append(
                (f"{name} %[{width}]", Member(unit.size * width, unit.alignment))
            )
        elif kind == "bits":
            declared.append((f"{name} % : {width}", bits(unit, width)))
        elif kind == "unnamed":
            declared.append((f"{name} : {width}", bits(unit, width, named=False)))
        else:
            declared.append((f"{name} : 0", bits(unit, 0, named=False)))
    return declared


Batch = list[tuple[str, list[tuple[str, Member]]]]


# A failure names its one culprit; shrinking would compile a thousand times.
@settings(max_examples=10, deadline=None, phases=[Phase.generate])
@given(
    st.lists(
        st.tuples(st.sampled_from(["struct", "union"]), declared_members()),
        min_size=100,
        max_size=100,
    )
)
def test_random_records_as_gcc_lays_them_out(batch: Batch) -> None:
    declarations, statements, expected = [], [], []
    for index, (kind, members) in enumerate(batch):
        record = f"{kind} record{index}"
        body = " ".join(
            text.replace("%", f"m{number}") + ";"
            for number, (text, _) in enumerate(members)
        )
        declarations.append(f"{record} {{ {body} }};")
        statements.append(
            f'printf("%zu %zu", sizeof({record}), sizeof({record}) ? _Alignof({record}) : 1);'
        )
        laid_out = lay_out(kind, [member for _, member in members])
        line = [laid_out.size, laid_out.alignment]
        for number, ((_, member), place) in enumerate(
            zip(members, laid_out.places, strict=True)
        ):
            if not member.named:
                continue
            if member.bits is None:
                statements.append(f'printf(" %zu", offsetof({record}, m{number}));')
                line.append(place.offset)
            else:
                statements.append(
                    f"{{ {record} r; memset(&r, 0, sizeof r); r.m{number} = -1; size_t i = 0;"
                    " while (!(((unsigned char *)&r)[i / 8] >> i % 8 & 1)) i++;"
                    ' printf(" %zu", i); }'
                )
                line.append(8 * place.offset + (place.bit_offset or 0))
        statements.append('printf("\\n");')
        expected.append(" ".join(map(str, line)))
    answers = run_c("\n".join(declarations), "\n".join(statements))
    for record, said, truth in zip(declarations, expected, answers, strict=True):
        assert said == truth, record

"""Random C declarations, and what to ask a compiler about them.

`batches` gives texts that declare many structs and unions, each with the members that it
has at any depth; `questions` makes C of them whose object file holds the answers, and
`answers` reads it.  Nothing here knows a rule of layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

PRELUDE = """\
typedef unsigned long long less_aligned __attribute__((aligned(4)));
typedef unsigned long long aligned_alike __attribute__((aligned(8)));
typedef int __attribute__((__aligned__(16))) more_aligned;
typedef double *pointer_typedef;
typedef unsigned short pair[2];
typedef __typeof__(1ULL + 1) type_of;
enum colour { RED, GREEN = 5, BLUE };
enum sign { MINUS = -1, PLUS = 1 };
enum tiny { LITTLE = 200 } __attribute__((packed));
enum __attribute__((packed)) middling { LOW = -300 };
"""
# The integer types that may hold bit-fields, and the widths that C allows on every target.
INTEGERS = {
    "_Bool": 1,
    "char": 8,
    "signed char": 8,
    "unsigned char": 8,
    "short": 16,
    "unsigned short": 16,
    "int": 32,
    "unsigned": 32,
    "long": 32,
    "unsigned long": 32,
    "long long": 64,
    "unsigned long long": 64,
    "type_of": 64,
    "enum colour": 32,
    "enum sign": 32,
    "enum tiny": 8,
    "enum middling": 16,
}
# Types whose names are aligned otherwise than the types are; without a width, no bit-field's.
ALIGNED = """\
typedef unsigned wide_word __attribute__((aligned(8)));
typedef unsigned narrow_word __attribute__((aligned(2)));
typedef unsigned char wide_octet __attribute__((aligned(4)));
typedef long long narrow_long __attribute__((aligned(1)));
typedef enum { ONE, TWO } wide_enum __attribute__((aligned(8)));
typedef enum { THREE = 3 } narrow_enum __attribute__((aligned(2)));
typedef struct { int a; } wide_struct __attribute__((aligned(8)));
typedef struct { int a; char b[4]; } narrow_struct __attribute__((aligned(2)));
typedef union { int a; char b[5]; } wide_union __attribute__((aligned(16)));
typedef int wide_array[3] __attribute__((aligned(16)));
typedef char *wide_pointer __attribute__((aligned(16)));
typedef wide_struct aligned_again __attribute__((aligned(4)));
"""
ALIGNED_BITS = {"wide_word": 32, "narrow_word": 32, "wide_octet": 8, "narrow_long": 64}
ALIGNED_BITS |= {"wide_enum": 32, "narrow_enum": 32}
ALIGNED_OTHERS = ["wide_struct", "narrow_struct", "wide_union", "wide_array"]
ALIGNED_OTHERS += ["wide_pointer", "aligned_again"]
OTHERS = ["float", "double", "long double", "pointer_typedef", "pair", "less_aligned"]
OTHERS += ["aligned_alike", "more_aligned", "void *", "struct unknown *"]


@dataclass(frozen=True, slots=True)
class Declared:
    """A record's declaration, and its members at any depth by their paths in C."""

    name: str
    text: str
    plain: tuple[str, ...]
    bits: tuple[str, ...]


class _Members:
    """The members of one record while they are drawn; names are never used twice."""

    def __init__(self, draw: st.DrawFn, limit: int, wild: bool) -> None:
        self.draw = draw
        self.limit = limit  # of `#pragma pack`, 0 for none
        self.wild = wild
        self.count = 0
        self.plain: list[str] = []
        self.bits: list[str] = []

    def body(self, path: str, depth: int) -> str:
        kinds = ["plain"] * 4 + ["array", "zero", "unnamed", "break"] + ["bits"] * 5
        kinds += ["nested", "nested", "anonymous", "elements"] if depth else []
        texts = []
        for _ in range(self.draw(st.integers(1, 6))):
            texts.append(self.member(self.draw(st.sampled_from(kinds)), path, depth))
        return " ".join(texts)

    def member(self, kind: str, path: str, depth: int) -> str:
        self.count += 1
        name = f"m{self.count}"
        if kind in ("nested", "elements", "anonymous"):
            inner = {"nested": f"{path}{name}.", "elements": f"{path}{name}[0]."}
            text = self.record("", inner.get(kind, path), depth - 1)
            if kind == "anonymous":
                return f"{text};"
            self.plain.append(f"{path}{name}")
            length = self.draw(st.integers(1, 3))
            return f"{text} {name}{f'[{length}]' if kind == 'elements' else ''};"
        if kind in ("plain", "array", "zero"):
            types = [*INTEGERS, *OTHERS]
            if self.wild and kind == "plain":
                types += [*ALIGNED_BITS, *ALIGNED_OTHERS]
            c_type = self.draw(st.sampled_from(types))
            if kind != "plain" and c_type == "more_aligned":
                c_type = "pair"  # no array may have elements aligned beyond their size
            suffix = {"array": "[3]", "zero": "[0]"}.get(kind, "")
            self.plain.append(f"{path}{name}")
            return f"{c_type} {name}{suffix}{self.attribute()};"
        widths = INTEGERS | (ALIGNED_BITS if self.wild else {})
        c_type = self.draw(st.sampled_from(sorted(widths)))
        if kind == "break":
            return f"{c_type} : 0;"
        width = self.draw(st.integers(1, widths[c_type]))
        if kind == "unnamed":
            return f"{c_type} : {width};"
        self.bits.append(f"{path}{name}")
        # Of other alignments of bit-fields, gcc and clang think differently.
        alignments = (1, 2, 4, 8, 16) if self.wild else () if self.limit else (8, 16)
        return f"{c_type} {name} : {width}{self.attribute(alignments)};"

    def attribute(self, alignments: Sequence[int] = (1, 2, 4, 8, 16)) -> str:
        if self.draw(st.integers(0, 5)):
            return ""
        wanted = ["packed"]
        if alignments:
            alignment = self.draw(st.sampled_from(alignments))
            wanted += [f"aligned({alignment})", f"__packed__, aligned({alignment})"]
            if self.wild:
                wanted += [f"aligned({alignment}), aligned(4)"]
        return f" __attribute__(({self.draw(st.sampled_from(wanted))}))"

    def record(self, tag: str, path: str, depth: int) -> str:
        kind = self.draw(st.sampled_from(["struct", "struct", "union"]))
        return self.definition(f"{kind} {tag}", path, depth)

    def definition(self, name: str, path: str, depth: int) -> str:
        kind, _, tag = name.partition(" ")
        body = self.body(path, depth)
        before, after = self.attribute(), ""
        if self.draw(st.booleans()):
            before, after = after, before
        return f"{kind}{before} {tag} {{ {body} }}{after}"


@st.composite
def declarations(draw: st.DrawFn, index: int, wild: bool = False) -> Declared:
    """One record with its tag, at most three deep, perhaps below a `#pragma pack`.

    Of a wild one gcc and clang need not think alike.
    """
    limit = draw(st.sampled_from([0] * 12 + [1, 2, 4, 8]))
    members = _Members(draw, limit, wild)
    name = f"{draw(st.sampled_from(['struct', 'struct', 'union']))} record{index}"
    text = members.definition(name, "", draw(st.integers(0, 2))) + ";"
    if limit:
        text = f"#pragma pack(push, {limit})\n{text}\n#pragma pack(pop)"
    return Declared(name, text, tuple(members.plain), tuple(members.bits))


def batches(size: int, wild: bool = False) -> st.SearchStrategy[tuple[Declared, ...]]:
    """Records that can be declared together."""
    return st.tuples(*(declarations(index, wild) for index in range(size)))


def declare(batch: Sequence[Declared]) -> str:
    """The batch as the text of a header."""
    return PRELUDE + ALIGNED + "".join(f"{declared.text}\n" for declared in batch)


def questions(batch: Sequence[Declared]) -> str:
    """C whose objects hold the facts about a batch."""
    lines = [declare(batch)]
    for index, record in enumerate(batch):
        asked = [f"sizeof({record.name})", f"_Alignof({record.name})"]
        asked += [f"__builtin_offsetof({record.name}, {path})" for path in record.plain]
        lines.append(f"const unsigned facts_{index}[] = {{ {', '.join(asked)} }};")
        lines += [
            f"const {record.name} bits_{index}_{number} = {{ .{path} = -1 }};"
            for number, path in enumerate(record.bits)
        ]
    return "\n".join(lines)


def answers(
    batch: Sequence[Declared], objects: Mapping[str, bytes]
) -> Iterator[dict[str, int | tuple[int, int]]]:
    """The facts about each record: offsets in bytes, and first bit and width of bit-fields."""
    for index, record in enumerate(batch):
        data = objects[f"facts_{index}"]
        numbers = [
            int.from_bytes(data[start : start + 4], "little")
            for start in range(0, len(data), 4)
        ]
        facts: dict[str, int | tuple[int, int]] = dict(
            zip(["size", "alignment", *record.plain], numbers, strict=True)
        )
        for number, path in enumerate(record.bits):
            bits = int.from_bytes(objects[f"bits_{index}_{number}"], "little")
            facts[path] = ((bits & -bits).bit_length() - 1, bits.bit_count())
        yield facts

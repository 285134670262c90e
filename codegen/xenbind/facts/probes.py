"""Choose what to ask compiled C about an interface, with the IR's own answers.

`reference` takes the IR and gives the questions: one `Probe` for each size, alignment,
offset, bit position, kind of type, length of an array and value of a constant, and the
members that `round_trips` visits; the template reference/version.c.jinja makes a C file
of them for the package's tests, and reference/questions.c.jinja for `object_file`, which
compiles it and reads what C says; `verify` compares that with what `expected` gives.
"""

from __future__ import annotations

import hashlib
import json
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import ceil

from xenbind.errors import SourceError
from xenbind.facts.round_trips import MOST_SCALARS, RoundTrip, round_trip
from xenbind.ir import extent
from xenbind.ir.abi import ABIS, Abi
from xenbind.ir.c_types import (
    Array,
    CType,
    Enumeration,
    Pointer,
    RecordRef,
    Scalar,
    as_known,
    inside_arrays,
)
from xenbind.ir.interface import Constant, Field, Interface, Record
from xenbind.ir.records import measure
from xenbind.plain import Struct, replace
from xenbind.source import Coord

# What facts say: numbers, and words such as a member's kind.
Answer = int | str

_WORD = 0xFFFF_FFFF_FFFF_FFFF
_ALPHANUMERIC = f"{string.ascii_letters}{string.digits}".encode()
# For a bit-field, C is asked for a whole record in which it is set: bytes for all of these.
_ROOM = 256 << 20
# The numbers that C answers with in place of words: of what was expected, and of the others.
# Those from CLASSES on are what `__builtin_classify_type` says.
CLASSES = 16
CODES = {
    "expected": 0,
    "char": 1,
    "bool": 2,
    "signed": 3,
    "unsigned": 4,
    "another prototype": 5,
    "pointer": CLASSES + 5,
    "float": CLASSES + 8,
    "struct": CLASSES + 12,
    "union": CLASSES + 13,
}
# Of a kind of questions, for one file: of these gcc takes 130 MiB, of fewer no longer for two.
_PIECE, _SMALLEST = 30_000, 4_000
# Files that are compiled beside each other.
AT_ONCE = 2
# How facts about the generated classes begin, which C knows nothing of.
CLASS = "class "


class Probe(Struct, frozen=True):
    """A question: the name of the fact, the C expression, and the IR's own answer.

    Without an expression there is nothing in C to be asked.  That of a variable is its name:
    C has none in what is constant.
    """

    name: str
    expression: str
    expected: Answer
    coord: Coord
    of_variable: bool = False

    @property
    def in_c(self) -> str:
        """Write the answer as a string literal of C's."""
        octets = str(self.expected).encode()
        plain = set(b" !#$%&()*+,-./:;<=>@[]^_`{|}~") | set(_ALPHANUMERIC)
        return (
            '"' + "".join(chr(o) if o in plain else f"\\{o:03o}" for o in octets) + '"'
        )


class BitProbe(Struct, frozen=True):
    """A question about a bit-field: `initializer` sets all its bits in a `record`.

    `position` is its first bit, counted from the record's first, and `width` their number.
    """

    name: str
    record: str
    initializer: str
    position: int
    width: int
    coord: Coord


class Reference(Struct, frozen=True):
    """Everything that the reference C file of one interface version holds.

    C is asked for `constants`, `floats`, `strings`, `variables` and `float_variables`, then,
    without the macros that have the `hidden` names of types, members and enumerators, for the
    other `numbers`, `words` and `bit_fields`; what is `told` it cannot be asked.  `name_size`
    and `word_size` are the room that names and words need: they are stored in place, so that
    the object file needs no relocation to be read.
    """

    constants: tuple[Probe, ...]
    floats: tuple[Probe, ...]
    strings: tuple[Probe, ...]
    variables: tuple[Probe, ...]
    float_variables: tuple[Probe, ...]
    hidden: tuple[str, ...]
    numbers: tuple[Probe, ...]
    words: tuple[Probe, ...]
    bit_fields: tuple[BitProbe, ...]
    told: tuple[Probe, ...]
    round_trips: tuple[RoundTrip, ...]

    @property
    def probes(self) -> tuple[Probe, ...]:
        asked = (*self.constants, *self.floats, *self.strings)
        asked += (*self.variables, *self.float_variables, *self.numbers)
        return (*asked, *self.words, *self.told)

    def pieces(
        self, further: Callable[[], Iterable[Probe]] = tuple
    ) -> Iterator[Reference]:
        """Give the same questions in files of their own, which a compiler has memory for.

        There is one at least; what is told is in none.  The last has the `further` questions,
        which are thought of while the others are compiled.
        """
        kinds = (self.constants, self.numbers, self.words)
        most = max(map(len, kinds))
        files = max(ceil(most / _PIECE), min(AT_ONCE, most // _SMALLEST), 1)
        pieces = []
        for file in range(files):
            constants, numbers, words = (
                kind[len(kind) * file // files : len(kind) * (file + 1) // files]
                for kind in kinds
            )
            piece = replace(
                self if file == 0 else self.of_nothing,
                constants=constants,
                numbers=numbers,
                words=words,
                told=(),
            )
            pieces.append(piece)
        yield from pieces[1:]
        yield replace(pieces[0].also(further()), told=())

    def also(self, probes: Iterable[Probe]) -> Reference:
        """Ask more, such as the IR alone does not raise."""
        asked = tuple(probes)
        variables = (p for p in asked if p.of_variable)
        numbers = (
            p for p in asked if isinstance(p.expected, int) and not p.of_variable
        )
        words = (p for p in asked if isinstance(p.expected, str) and p.expression)
        told = (p for p in asked if not p.expression)
        return replace(
            self,
            variables=(*self.variables, *variables),
            numbers=(*self.numbers, *numbers),
            words=(*self.words, *words),
            told=(*self.told, *told),
        )

    @property
    def of_nothing(self) -> Reference:
        """Give the reference that only includes the header."""
        return Reference(*((), (), (), (), (), self.hidden), *((), (), (), (), ()))

    @property
    def has_prototypes(self) -> bool:
        """Tell whether any word is that of a function's prototype."""
        return any(probe.name.endswith(" prototype") for probe in self.words)

    @property
    def variable_names(self) -> tuple[tuple[str, str], ...]:
        """Name what is asked of a variable once: by what the facts call it, and by its name."""
        return tuple(
            (p.name.removesuffix(" value"), p.expression)
            for p in self.variables
            if p.name.endswith(" value")
        )

    @property
    def name_size(self) -> int:
        names = [probe.name for probe in self.probes]
        return _room([*names, *(probe.name for probe in self.bit_fields)])

    @property
    def word_size(self) -> int:
        return _room([str(probe.expected) for probe in (*self.words, *self.told)])


def with_round_trips(interface: Interface, asked: Reference) -> Reference:
    """Add to what is asked of a version what fills and reads each of its records.

    A member's own members, if its type has a name, are those of that.
    """
    records = interface.records_by_key
    scalars = extent.scalars(interface.records)
    trips = (
        round_trip(record, records)
        for record in interface.own_records
        if not record.is_anonymous and scalars[record.key] <= MOST_SCALARS
    )
    return replace(asked, round_trips=tuple(trips))


def questions(interface: Interface) -> Reference:
    """What C can be asked about one interface version, in the order of its declarations.

    Each question is asked of one record: a member's own members, if its type has a name, are
    asked of that.  All of it needs no program that runs: there are no round trips.
    """
    records = interface.records_by_key
    abi = ABIS[interface.abi]
    probes: list[Probe] = []
    bit_fields: list[BitProbe] = []
    room = 0
    for record in interface.own_records:
        if record.is_anonymous:
            continue  # anonymous: reached through the record around it
        for probe in _record_probes(record, records, abi):
            if isinstance(probe, BitProbe):
                bit_fields.append(probe)
                room += record.size
                if room > _ROOM:
                    raise _too_large(record, probe.coord)
            else:
                probes.append(probe)
    constants: list[Probe] = []
    floats: list[Probe] = []
    strings: list[Probe] = []
    variables: list[Probe] = []
    float_variables: list[Probe] = []
    for constant in interface.constants:
        name = constant.name
        if isinstance(constant.value, float):
            exact = constant.value.hex()
            asked = float_variables if constant.is_variable else floats
            asked.append(Probe(f"{name} value", name, exact, constant.coord))
        elif not isinstance(constant.value, int):
            asked_as = (
                "" if constant.is_variable else name
            )  # a pointer's text is elsewhere
            text = Probe(f"{name} value", asked_as, constant.value, constant.coord)
            (probes if constant.is_variable else strings).append(text)
        elif constant.is_variable:
            variables += value_probes(name, constant)
        else:
            constants += value_probes(name, constant)
    return Reference(
        constants=tuple(constants),
        floats=tuple(floats),
        strings=tuple(strings),
        variables=tuple(variables),
        float_variables=tuple(float_variables),
        hidden=interface.hidden,
        numbers=(),
        words=(),
        bit_fields=tuple(bit_fields),
        told=(),
        round_trips=(),
    ).also(probes)


def value_probes(subject: str, constant: Constant) -> Iterator[Probe]:
    """The questions about the value of a constant that is a number, asked as `subject`'s."""
    name, value, coord = constant.name, constant.value, constant.coord
    assert isinstance(value, int)
    if constant.is_address:
        name = f"(__UINTPTR_TYPE__)({name})"
    is_one = constant.is_variable
    yield Probe(f"{subject} value", name, value & _WORD, coord, is_one)
    yield Probe(f"{subject} negative", f"({name}) < 0", int(value < 0), coord, is_one)


def record_type(value: str, key: str) -> str:
    """C that says `key` if an expression has that record's type, and else what it has."""
    return f'XENBIND_RECORD({value}, {key}, "{key}")'


def expected(reference: Reference) -> dict[str, Answer]:
    """The IR's own answers, under the names that `answers` uses."""
    found = {probe.name: probe.expected for probe in reference.probes}
    for probe in reference.bit_fields:
        found[f"{probe.name} bit_offset"] = probe.position
        found[f"{probe.name} bit_width"] = probe.width
    return found


def fingerprint(interface: Interface, asked: Reference | None = None) -> str:
    """A digest of everything that compiled C can be asked about a version, and of its functions.

    `asked` are its `questions`, where they are known already.
    """
    answers = expected(asked or questions(interface))
    for function in interface.functions:
        answers[f"{function.name} prototype"] = function.prototype(as_known)
    return hashlib.sha256(json.dumps(answers).encode()).hexdigest()


def coords(reference: Reference) -> dict[str, Coord]:
    """The header's place behind each answer."""
    found = {probe.name: probe.coord for probe in reference.probes}
    for probe in reference.bit_fields:
        found[f"{probe.name} bit_offset"] = found[f"{probe.name} bit_width"] = (
            probe.coord
        )
    return found


def _too_large(record: Record, coord: Coord) -> SourceError:
    return SourceError(
        coord,
        f"a bit-field of {record.spelling}, {record.size} bytes: asking C for the header's"
        f" bit-fields would take more than {_ROOM >> 20} MiB",
        "put bit-fields into a small struct of their own",
    )


def _room(texts: Sequence[str]) -> int:
    """The bytes that the longest text needs with a NUL, in whole words."""
    longest = max((len(text.encode()) for text in texts), default=0)
    return -(-(longest + 1) // 8) * 8


def _record_probes(
    record: Record, records: Mapping[str, Record], abi: Abi
) -> Iterator[Probe | BitProbe]:
    yield Probe(
        f"{record.key} size", f"sizeof({record.key})", record.size, record.coord
    )
    yield Probe(
        f"{record.key} alignment",
        f"_Alignof({record.key})",
        record.alignment,
        record.coord,
    )
    yield from _member_probes(record.key, record, records, abi, "", 0)


def _member_probes(
    outer: str,
    record: Record,
    records: Mapping[str, Record],
    abi: Abi,
    path: str,
    base: int,
) -> Iterator[Probe | BitProbe]:
    for field in record.fields:
        inner = f"{path}{field.name}"
        name = f"{outer}.{inner}"
        if field.bit_width is not None:
            first = 8 * base + field.first_bit
            yield BitProbe(
                name, outer, f".{inner} = -1", first, field.bit_width, field.coord
            )
            # C has no expression that tells a bit-field's type; DWARF does.
            yield Probe(f"{name} kind", "", _bits_kind(field, abi), field.coord)
            continue
        offset = base + field.offset
        value = f"(({outer} *)0)->{inner}"
        size = "0" if _is_flexible(field) else f"sizeof({value})"
        yield Probe(
            f"{name} offset", f"offsetof({outer}, {inner})", offset, field.coord
        )
        yield Probe(f"{name} size", size, field.size, field.coord)
        yield from type_probes(name, value, field.type, field.coord, records, abi)
        element, lengths = inside_arrays(field.type)
        if not isinstance(element, RecordRef):
            continue
        index = "[0]" * len(lengths)
        nested = records[element.key]
        if nested.is_anonymous:
            yield Probe(
                f"{name} alignment",
                f"_Alignof(__typeof__({value}{index}))",
                nested.alignment,
                nested.coord,
            )
            yield from _member_probes(
                outer, nested, records, abi, f"{inner}{index}.", offset
            )


def type_probes(
    name: str,
    value: str,
    c_type: CType,
    coord: Coord,
    records: Mapping[str, Record],
    abi: Abi,
) -> Iterator[Probe]:
    """The kind of the type of a `value` in C, the lengths of its arrays, a pointer's target."""
    index = ""
    while isinstance(c_type, Array):
        length = c_type.length or 0
        # Of an array without a size, or with elements that have none, C can tell nothing.
        has_size = measure(c_type, abi, records.get)[0] > 0
        asked = f"sizeof({value}{index}) / sizeof({value}{index}[0])"
        yield Probe(
            f"{name}{index} length", asked if has_size else f"{length}", length, coord
        )
        c_type, index = c_type.element, f"{index}[0]"
    kind = _kind(c_type, records, abi)
    inside = f"{value}{index}"
    asked = f"XENBIND_KIND({inside})"
    if isinstance(c_type, RecordRef) and kind == c_type.key:
        asked = record_type(inside, kind)
    yield Probe(f"{name} kind", asked, kind, coord)
    target = _target(c_type, records, is_item=bool(index))
    if target is not None:
        yield from _target_probes(name, f"(*{inside})", target, coord, records, abi)


def _target(
    c_type: CType, records: Mapping[str, Record], is_item: bool
) -> CType | None:
    """Give what Python knows a pointer to lead to; an item of an array only what is above it."""
    match c_type:
        case Pointer(target=None, other=RecordRef(key=key) as later):
            return later if key in records and not is_item else None
        case Pointer(target=target):
            return target
    return None


def _target_probes(
    name: str,
    value: str,
    target: CType,
    coord: Coord,
    records: Mapping[str, Record],
    abi: Abi,
) -> Iterator[Probe]:
    """What a pointer leads to: which record that has a name, or a number of which size."""
    match target:
        case RecordRef(key=key) if not records[key].is_anonymous:
            yield Probe(f"{name} target", record_type(value, key), key, coord)
        case Scalar() | Enumeration() | Pointer():
            size, _ = measure(target, abi, records.get)
            yield Probe(f"{name} target", f"sizeof({value})", size, coord)


def _kind(c_type: CType, records: Mapping[str, Record], abi: Abi) -> str:
    """What a type is, in a word; a record that has a name is that."""
    match c_type:
        case RecordRef(key=key):
            return records[key].kind if records[key].is_anonymous else key
        case Pointer():
            return "pointer"
        case Scalar(base=base) | Enumeration(base=base):
            return abi.kind(base)
        case Array():
            return _kind(c_type.element, records, abi)


def _bits_kind(field: Field, abi: Abi) -> str:
    """A bit-field of plain char is an integer: text has no bits."""
    kind = _kind(field.type, {}, abi)
    if kind != "char":
        return kind
    return "signed" if abi.integers["char"].signed else "unsigned"


def _is_flexible(field: Field) -> bool:
    return isinstance(field.type, Array) and field.type.length is None

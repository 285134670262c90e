"""What package/version.py.jinja is given: plain strings under the names that it uses.

`module` fills these in; a `doc` is a docstring ready to be placed, empty where there is
none, and a `type` is the text of an annotation.  `again` is another name for what a class
has a member of the same name as, empty where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence

from xenbind.plain import Struct


class ConstantView(Struct, frozen=True):
    """A constant, or a member of an enum; `assignment` gives `name` its value."""

    name: str
    assignment: str
    doc: str


class SectionView(Struct, frozen=True):
    """Flat constants that stand together, under a comment."""

    heading: Sequence[str]
    constants: Sequence[ConstantView]


class EnumView(Struct, frozen=True):
    name: str
    base: str
    doc: str
    members: Sequence[ConstantView]
    again: str


class MemberView(Struct, frozen=True):
    """A member; `values` is the enum class of what it holds, empty without one.

    `declaration` says of which type it is, with a value for type checkers.
    """

    name: str
    declaration: str
    values: str
    doc: str


class PayloadView(Struct, frozen=True):
    """The table of which union member each value of a tag selects; `rows` are pairs.

    `decorator` is what makes a property, and `head` its def, in as many lines as it takes.
    """

    table: str
    tag: str
    union: str
    decorator: str
    head: Sequence[str]
    rows: Sequence[tuple[str, str]]


class RecordView(Struct, frozen=True):
    """A class and its `bases`; `c_name` is its name in C, empty where that is the class's own,
    and `extent` its size and alignment, empty where ctypes finds them itself.
    """

    name: str
    bases: str
    decorator: str
    doc: str
    flat: bool
    c_name: str
    extent: str
    members: Sequence[MemberView]
    payload: PayloadView | None
    again: str


class AliasView(Struct, frozen=True):
    """A typedef; `again` is its name where a member's hides it, if one does."""

    name: str
    c_name: str
    type: str
    again: str = ""


class HalvesView(Struct, frozen=True):
    """The two halves of a ring as a version's module declares them.

    `meanings` are pairs of a class attribute and its value: what the spec says of flags
    and versions.
    """

    front: str
    back: str
    name: str
    request: str
    response: str
    entry: str
    first_entry: int
    meanings: Sequence[tuple[str, str]]


class EventRingView(Struct, frozen=True):
    """Where the events of one direction are in a page, in bytes, and which macro says so."""

    macro: str
    event: str
    first: int
    length: int
    consumer: int
    producer: int


class EventSideView(Struct, frozen=True):
    """One side of a page of events; `rings` are by what it does with them: takes, puts."""

    name: str
    side: str
    bases: str
    doc: str
    rings: Sequence[tuple[str, EventRingView]]


class BytePlaceView(Struct, frozen=True):
    """Where the bytes of one direction are: the class that says so, its arguments, and words."""

    ring: str
    made: str
    arguments: Sequence[tuple[str, int]]
    doc: str


class ByteSideView(Struct, frozen=True):
    """One side of a page with rings of bytes; `places` are those that it reads and writes."""

    name: str
    base: str
    doc: str
    places: Sequence[tuple[str, BytePlaceView]]


class MethodView(Struct, frozen=True):
    """A static method; `head` is its def, and `lines` its body."""

    head: str
    doc: str
    lines: Sequence[str]


class FlexRingView(Struct, frozen=True):
    """A flex ring: a class of its functions, and one for each side, with what these derive from.

    `interface` is the class of its page, empty without one.
    """

    name: str
    functions: str
    functions_base: str
    methods: Sequence[MethodView]
    front: str
    back: str
    ring_base: str
    interface: str


class HandleView(Struct, frozen=True):
    """The class of a struct that only its library knows; `aliases` are other names of it."""

    name: str
    doc: str
    c_name: str
    aliases: Sequence[str]


class FunctionView(Struct, frozen=True):
    """A function, and the names of its parameters for `verify`.

    `head` is its def, in as many lines as it takes, and `call` has the library call it.  `enums`
    says which of its numbers are of which enum, empty where none is.  `aliases` are its other
    names.
    """

    name: str
    names: Sequence[str]
    head: Sequence[str]
    doc: str
    enums: str
    call: Sequence[str]
    aliases: Sequence[str]


class LibraryView(Struct, frozen=True):
    """A library, with advice by error numbers and functions, and functions' names in C.

    `kind` is its class. `releases` are those whose prototypes the module has, of a library that
    is named after one.
    """

    kind: str
    name: str
    advice: Sequence[tuple[str, str]]
    by_function: Sequence[tuple[str, str]]
    c_names: Sequence[tuple[str, str]]
    symbols: Sequence[tuple[str, str]]
    releases: Sequence[str]


class ModuleView(Struct, frozen=True):
    """A version's module; `renamed` are pairs of a constant's name and its name in C.

    `up` is "." where the run-time modules are those of a package around this one, and
    `typing` are the names that type checkers are to take from there; `library` is None where
    there are no functions.  `only` are the targets that it is for, all if it is empty;
    `read_for` is the one that the header was read for, if it may be another one elsewhere.
    `borrowed` pairs of the names of types that other modules have with their keys; `has_private`
    says that one of those begins with an underscore.
    """

    doc: str
    up: str
    only: Sequence[str]
    read_for: str
    imports: Sequence[str]
    typing: Sequence[str]
    constants: Sequence[SectionView]
    renamed: Sequence[tuple[str, str]]
    enums: Sequence[EnumView]
    scalars: Sequence[AliasView]
    records: Sequence[RecordView]
    aliases: Sequence[AliasView]
    rings: Sequence[HalvesView]
    event_sides: Sequence[EventSideView]
    byte_sides: Sequence[ByteSideView]
    flex_rings: Sequence[FlexRingView]
    borrowed: Sequence[tuple[str, str]]
    has_private: bool
    handles: Sequence[HandleView]
    library: LibraryView | None
    functions: Sequence[FunctionView]


class OperationView(Struct, frozen=True):
    """A translated macro; `head` is its def, in as many lines as it takes."""

    head: Sequence[str]
    doc: str
    lines: Sequence[str]


class WordView(Struct, frozen=True):
    name: str
    index: int


class ProtocolView(Struct, frozen=True):
    """What package/ring.py.jinja says: ring.h's macros, by whose methods they are."""

    header: str
    words: Sequence[WordView]
    functions: Sequence[OperationView]
    page: Sequence[OperationView]
    front: Sequence[OperationView]
    back: Sequence[OperationView]

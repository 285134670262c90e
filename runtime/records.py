"""Make structs, unions and open enums of declarations that read as C's do.

A record is declared as C declares it, each member with its C type:

    @record
    class vm_event_x86_selector_reg(Structure):
        limit: Annotated[uint32_t, 20] = ZERO

The first item behind the Python type is the ctypes type (`uint32_t` stands for
`Annotated[int, c_uint32]`); an int after it is a bit-field's width, an enum class names
the values that the member holds, and a str is the member's name in C where Python needs
another: one that is a keyword or already taken gets a trailing underscore (`in_`), and
leading double underscores become one.  A member is `ZERO` unless the constructor is told
otherwise.

Where ctypes would not arrive at C's layout, as for packed structs, the class says its
`_extent_`, size and alignment in bytes, and each member its place:

    offset: Annotated[uint32_t, At(1)] = ZERO

`_payload_` names the member that tells which member of a union is in use, that union, and
the latter's members by the values of the former. A union that is not named is the record itself.

Members read and write the buffer that the record was made from.  A member that is itself
a record or an array is one object, made at first use and kept.  Assigning a number that
does not fit its member keeps the low bits, as C's conversion to that type does; a name
that is no member raises `AttributeError`.  An array takes a sequence, and zeros for what
that leaves, as C's initialisers have it; see `assignment`.  Its single items are assigned by
ctypes' own rules, and so are the numbers of a struct that has neither records nor arrays: there a
TypeError has ctypes' own words, and no member's name.
"""

from __future__ import annotations

import ctypes
import enum

from .annotations import (
    TYPE_CHECKING,
    Member,
    dataclass_transform,
    is_array,
    typing,
)

# What ctypes' classes are made of has private names.
# pyright: reportGeneralTypeIssues=false, reportPrivateUsage=false

if TYPE_CHECKING:
    import _ctypes

    class _CStructure(_ctypes._CData, metaclass=_ctypes._PyCStructType):
        """`ctypes.Structure` without its `__getattr__`, which would allow every name."""

    class _CUnion(_ctypes._CData, metaclass=_ctypes._UnionType):
        """`ctypes.Union`, likewise."""

else:
    _CStructure, _CUnion = ctypes.Structure, ctypes.Union


class Nested:
    """A member that is a record or an array: one object, made at first use and kept.

    ctypes' own `field` makes a new one at each use.  Python asks here only until there is
    one in the record's dictionary; `offset` and `size` are the field's.
    """

    __slots__ = ("field", "name", "offset", "size", "type")

    def __init__(self, name: str, field: typing.Any, ctype: typing.Any) -> None:
        self.name = name
        self.field = field
        self.type = ctype
        self.offset: int = field.offset
        self.size: int = field.size

    def __get__(self, record: object, owner: type | None = None) -> typing.Any:
        if record is None:
            return self
        view = record.__dict__[self.name] = self.field.__get__(record)
        return view

    # Not `__set__`, for which Python would ask here before it looks into the dictionary.
    def assign(self, record: typing.Any, value: typing.Any) -> None:
        """Copy a record or array into the buffer, or what one can be made of.

        Raises TypeError or ValueError for what cannot be, and assigns nothing.
        """
        try:
            self.field.__set__(record, value)
            return
        except (TypeError, RuntimeError):
            from .assignment import made  # above, it would add to an import

        self.field.__set__(record, made(self.type, value, self.name))


class Chars:
    """A member that is an array of chars: all its bytes, as the buffer holds them.

    ctypes' own `field` ends at the first NUL.  `offset` and `size` are the field's.
    """

    __slots__ = ("name", "offset", "size", "type")

    def __init__(self, name: str, field: typing.Any, ctype: typing.Any) -> None:
        self.name = name
        self.offset: int = field.offset
        self.size = ctypes.sizeof(ctype)
        self.type = ctype

    def __get__(self, record: typing.Any, owner: type | None = None) -> typing.Any:
        if record is None:
            return self
        return ctypes.string_at(ctypes.addressof(record) + self.offset, self.size)

    def __set__(self, record: typing.Any, value: typing.Any) -> None:
        """Assign bytes; NULs fill what they leave.

        Raises ValueError for too many, and TypeError for what are none.
        """
        from .assignment import made  # above, it would add to an import

        chars = made(self.type, value, self.name)
        place = ctypes.addressof(record) + self.offset
        ctypes.memmove(place, chars, self.size)


class EnumMember:
    """A member of an enum's type: read as one of its numbers, also where that has no name.

    `offset` and `size` are those of the `field` that has the number.
    """

    __slots__ = ("field", "name", "offset", "size", "values")

    def __init__(self, name: str, field: typing.Any, values: typing.Any) -> None:
        self.name = name
        self.field = field
        self.values = values
        self.offset: int = field.offset
        self.size: int = field.size

    def __get__(self, record: object, owner: type | None = None) -> typing.Any:
        return self if record is None else self.values(self.field.__get__(record))

    def __set__(self, record: object, value: typing.Any) -> None:
        try:
            self.field.__set__(record, value)
        except TypeError as error:
            from .assignment import of_member  # above, it would add to an import

            raise of_member(error, self.name) from None


class Words(str):
    """A record's `__doc__`: its words, and its members' words once it is asked for them.

    `help` takes it out of the class's dictionary as it is, and calls `expandtabs`.
    """

    __slots__ = ("record",)
    record: type

    def __get__(self, record: object, owner: type) -> str:
        from .documentation import documentation  # above, it would triple an import

        return documentation(self.record, str(self))

    def expandtabs(self, tabsize: typing.SupportsIndex = 8) -> str:
        return self.__get__(None, self.record).expandtabs(tabsize)


class _Signature:
    """What a record's constructor takes, for `inspect.signature` and `help`."""

    def __get__(self, record: object, owner: typing.Any) -> object:
        if not hasattr(owner, "_members_"):
            raise AttributeError("no record, but the base of some")
        from .documentation import signature  # above, it would triple an import

        return signature(owner)


class _Record:
    """What struct and union classes have in common."""

    __slots__ = ()

    # Hidden from `typing.get_type_hints`, which is asked for the members.
    if TYPE_CHECKING:
        _extent_: typing.ClassVar[tuple[int, int]]
        _c_name_: typing.ClassVar[str | None]
        _members_: typing.ClassVar[tuple[Member, ...]]
        _setters_: typing.ClassVar[dict[str, typing.Any]]
        _payload_: typing.ClassVar[tuple[str, str, dict[int, str]]]

    _payload_ = ("", "", {})  # of most records: none

    if not TYPE_CHECKING:
        __signature__ = _Signature()

    __hash__ = object.__hash__  # by identity, as records compare; ctypes has none

    def __repr__(self) -> str:
        from .printing import text  # above, it would be most of an import

        return text(self)

    def dump(self, *opened: str, colour: bool | None = None) -> str:
        """Give the bytes in hexadecimal, each member in a colour, and what the members are.

        Of a union the member is shown that the record is known to mean, else its first one;
        `opened` are paths of others, such as `data.regs.arm`. `colour` None is for colour where
        standard output is a terminal and the environment does not forbid it.
        """
        from .dump import dump  # above, it would be most of an import

        return dump(self, opened, colour)

    def copy(self) -> typing.Self:
        """Give the same record in memory of its own."""
        copied: typing.Self = _from_bytes(type(self), self)
        if any(map(_leads_anywhere, self._members_)):
            from .pointers import keep_as  # of use to few modules

            keep_as(self, copied)
        return copied

    def __copy__(self) -> typing.Self:
        return self.copy()

    def __deepcopy__(self, memo: object) -> typing.Self:
        return self.copy()

    def __reduce__(self) -> tuple[typing.Any, ...]:
        """Pickle a record as its bytes."""
        record: typing.Any = self
        return _from_bytes, (type(self), bytes(record))


def _from_bytes(cls: typing.Any, octets: typing.Any) -> typing.Any:
    return cls.from_buffer_copy(octets)


class Structure(_Record, _CStructure):
    """The base of structs whose members are all numbers or pointers.

    `_copy_` is a ring's, in the requests that it gives out; `_kept_` has what the pointers
    in a packed one lead to.
    """

    __slots__ = ("_copy_", "_kept_")

    if TYPE_CHECKING:
        _copy_: typing.Any
        _kept_: dict[int, typing.Any]


class _Compound(_Record):
    """A record that keeps the objects of its nested members."""

    # Hidden from type checkers, which would otherwise allow every name.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: typing.Any) -> None:
            """Assign to a member; a record or array is copied into the buffer, as in C."""
            setter = self._setters_.get(name) or _setter(type(self), name)
            try:
                setter(self, value)
            except TypeError as error:
                from .assignment import of_member  # above, it would add to an import

                raise of_member(error, name) from None


def _initialise(
    self: typing.Any, /, *values: typing.Any, **by_name: typing.Any
) -> None:
    """Assign to the members in their order and by name, as ctypes does where it has them."""
    names = [member.name for member in self._members_]
    if len(values) > len(names):
        raise TypeError("too many initializers")
    for name, value in zip(names, values, strict=False):
        if name in by_name:
            raise TypeError(f"duplicate values for field '{name}'")
        setattr(self, name, value)
    for name, value in by_name.items():
        setattr(self, name, value)


def _setter(cls: typing.Any, name: str) -> typing.Any:
    """Find what assigns to a member, when it is first assigned to."""
    if all(member.name != name for member in cls._members_):
        message = f"'{cls.__name__}' has no member '{name}'"
        raise AttributeError(message, name=name, obj=cls)
    setter: typing.Any = getattr(cls, name).__set__
    cls._setters_[name] = setter
    return setter


class Compound(_Compound, Structure):
    """The base of structs with records or arrays among their members."""


class Union(_Compound, _CUnion):
    """The base of unions, whose members share their bytes."""

    if not TYPE_CHECKING:
        # CPython up to 3.12 does not notice an `__init__` that a union's class gets later.
        __init__ = _initialise


if TYPE_CHECKING:
    R = typing.TypeVar("R", bound=_Record)
else:
    R = _Record


# To type checkers: members are the constructor's parameters, in their order.
@dataclass_transform(eq_default=False)
def record(cls: type[R]) -> type[R]:
    """Make a struct or union class of its annotations.

    The class name is the C tag, unless the class says its `_c_name_`.
    """
    if "_c_name_" not in cls.__dict__:
        kind = "union" if issubclass(cls, Union) else "struct"
        cls._c_name_ = f"{kind} {cls.__name__}"
    _declare(cls)
    return cls


@dataclass_transform(eq_default=False)
def anonymous(cls: type[R]) -> type[R]:
    """Make one that has no name in C: it is the type of one member only."""
    cls._c_name_ = None
    _declare(cls)
    return cls


def declared(record: type[_Record]) -> tuple[Member, ...]:
    """Give the members of a struct or union, in the order of the declaration."""
    return record._members_


def _leads_anywhere(member: Member) -> bool:
    """Tell whether there may be a pointer in a member, which leads to what has to be kept."""
    return issubclass(member.type, (*_POINTERS, *_NESTED))


def _is_chars(ctype: typing.Any) -> bool:
    return is_array(ctype) and ctype._type_ is ctypes.c_char


_POINTERS = (ctypes._Pointer, ctypes.c_void_p)
_NESTED = (ctypes.Structure, ctypes.Union, ctypes.Array)


def _declare(cls: typing.Any) -> None:
    members = tuple(Member(name, note) for name, note in cls.__annotations__.items())
    if "_extent_" in cls.__dict__:
        from .placed import place  # above, it would add 4 % to an import

        place(cls, members)
        cls.__init__ = _initialise
    else:
        cls._fields_ = [
            (m.name, m.type) if m.bits is None else (m.name, m.type, m.bits)
            for m in members
        ]
    cls._members_ = members
    setters: dict[str, typing.Any] = {}
    cls._setters_ = setters
    # Not `cls.__doc__`: CPython before 3.13 caches what was read of a union, and does not notice
    # that it is set, so that the next to read it finds what is freed.
    cls.__doc__ = words = Words(cls.__dict__["__doc__"] or "")
    words.record = cls
    for member in members:
        ctype: typing.Any = member.type
        field = cls.__dict__[member.name]
        if member.is_enum:
            setattr(cls, member.name, EnumMember(member.name, field, member.values))
        elif issubclass(ctype, _POINTERS):
            from .pointers import PointerMember  # of use to few modules

            setattr(cls, member.name, PointerMember(member, field))
        if not issubclass(ctype, _NESTED):
            continue  # most are numbers
        if _is_chars(ctype):
            setattr(cls, member.name, Chars(member.name, field, ctype))
        else:
            nested = Nested(member.name, field, ctype)
            setters[member.name] = nested.assign
            setattr(cls, member.name, nested)


class OpenEnum(enum.IntEnum):
    """An enum that keeps values it has no name for: newer headers may have them."""

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member

"""Name what the translation of macros speaks of: roles, sides and operations.

`roles` and `translate` fill these in; `ring_module` turns `Operation`s into methods.

    #define RING_FREE_REQUESTS(_r)  (RING_SIZE(_r) - ((_r)->req_prod_pvt - (_r)->rsp_cons))

is an operation of the front half without parameters that returns an int.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from pycparser import c_ast

from xenbind.ir.abi import IntegerType
from xenbind.ir.interface import Field
from xenbind.plain import Struct


class Untranslatable(Exception):
    """Something in a macro that has no translation, and what it is."""


class Side(StrEnum):
    """Whose method an operation is; `NONE` for a plain function."""

    FRONT = "front"
    BACK = "back"
    PAGE = "page"
    NONE = "none"


class Role(StrEnum):
    """What a macro's parameter is: a half of the ring, its shared page, what the macro
    assigns its result to, a record to be filled, or else a RING_IDX.
    """

    FRONT = "front"
    BACK = "back"
    HALF = "half"
    PAGE = "page"
    RESULT = "result"
    RECORD = "record"
    INDEX = "index"


class Returns(StrEnum):
    """What an operation gives back."""

    INT = "int"
    BOOL = "bool"
    REQUEST = "req"
    RESPONSE = "rsp"
    NOTHING = "None"


class Thing(StrEnum):
    """What an expression is that is no number."""

    HALF = "half"
    PAGE = "page"
    UNION = "union"
    BYTES = "bytes"
    ENTRIES = "entries"
    ENTRY = "entry"
    REQUEST = "req"
    RESPONSE = "rsp"
    RECORD = "record"
    POINTER = "pointer"
    CELL = "cell"
    NOTHING = "nothing"


class MacroBody(Struct, frozen=True):
    """A function-like macro: its name as C has it, its parameters, its parsed body."""

    name: str
    parameters: tuple[str, ...]
    body: tuple[c_ast.Node, ...]


class RingTypes(Struct, frozen=True):
    """The members of the three structs of a ring, by name; of its unions by path."""

    page: Mapping[str, Field]
    unions: Mapping[str, Field]
    front: Mapping[str, Field]
    back: Mapping[str, Field]


class Parameter(Struct, frozen=True):
    """A parameter that is left in Python: an index, a page or a record."""

    name: str
    role: Role


class Translated(Struct, frozen=True):
    """A function of a flex ring in Python: `lines` are the body, not indented.

    `role` is its name in Python, and `name` that in C; `parameters` are names and types, and
    what it gives is `returns`.
    """

    role: str
    name: str
    parameters: tuple[tuple[str, str], ...]
    returns: str
    lines: tuple[str, ...]


class Operation(Struct, frozen=True):
    """A function-like macro of ring.h in Python.

    `roles` are those of all the macro's parameters, of which `parameters` are left in
    Python.  `lines` are the body, not indented.  `index_type` is the C type of its plain
    parameters, and of an int that it returns.
    """

    macro: str
    name: str
    side: Side
    roles: tuple[Role, ...]
    parameters: tuple[Parameter, ...]
    returns: Returns
    lines: tuple[str, ...]
    index_type: IntegerType
    doc: str

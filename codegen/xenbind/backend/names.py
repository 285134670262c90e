"""Give Python names by one rule: C's own name, unless Python cannot use it.

Takes C identifiers; gives identifiers for `render`.  Leading double underscores become
one, because Python mangles them inside classes, and a dollar becomes an underscore; then
a name that is a keyword or already taken gets trailing underscores until it is free.
"""

from __future__ import annotations

import builtins
import ctypes
import enum
import keyword
from collections.abc import Collection

from xenbind.words import camel

# Attributes that ctypes or the generated base classes give a record a meaning for.
RECORD_ATTRIBUTES = frozenset(
    [
        *dir(ctypes.Structure),
        *dir(ctypes.Union),
        *dir(type(ctypes.Structure)),
        *("_fields_", "_pack_", "_anonymous_", "_align_", "_layout_"),
        *("_length_", "_type_", "_swappedbytes_", "_as_parameter_", "_abstract_"),
        *("_c_name_", "_members_", "_setters_", "_copy_", "_kept_", "payload", "copy"),
        "dump",
        *("_payload_", "_extent_", "_unit_", "_bytes_"),
    ]
)
BUILTINS = frozenset(dir(builtins))
ENUM_ATTRIBUTES = frozenset(["mro", "name", "value", *dir(int), *dir(enum.IntFlag)])


def enum_member_name(c_name: str, taken: Collection[str]) -> str:
    """The same for a member of an enum, which keeps names like `_this_` for itself.

    What looks like the private `_Class__name` it would not count among its members.
    """
    name = python_name(c_name, taken)
    if is_sunder(name):
        return python_name(f"{name}_", taken)
    public = name.lstrip("_")
    return python_name(public, taken) if "__" in public and public != name else name


def is_sunder(name: str) -> bool:
    """Tell whether a name is of those with one underscore at each end."""
    return name.startswith("_") and name.endswith("_") and not name.endswith("__")


def python_name(c_name: str, taken: Collection[str]) -> str:
    """The name in Python of something that C calls `c_name`, where `taken` are in use."""
    name = c_name.replace("$", "_")  # gcc and clang allow it
    if name.startswith("__"):
        name = "_" + name.lstrip("_")
    if name[:1].isdigit() or not name.strip("_"):
        name = "_" + name
    while keyword.iskeyword(name) or name in taken:
        name += "_"
    return name


def ring_prefix(ring: str, interface: str) -> str:
    """What the classes of a ring begin with: nothing for the interface's own."""
    return "" if ring == interface else camel(ring)

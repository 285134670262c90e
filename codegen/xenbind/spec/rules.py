"""What the texts of a spec may be: names of C's and Python's, releases, paths.

Takes a text; tells whether it may be what its key is for, in words that an error needs.
`reader` holds each text of the file against its rule.  What passes can be no option of a
compiler, and leads out of no folder; that it ends no string where it is written is for
whoever writes.
"""

from __future__ import annotations

import errno
import keyword
import re
import sys
from collections.abc import Callable
from pathlib import PurePosixPath

from xenbind.plain import Struct

_LONGEST = 255  # bytes, which is what a file's name may have

_C_NAME = r"[A-Za-z_$][A-Za-z0-9_$]*"  # gcc and clang allow the dollar


class Rule(Struct, frozen=True):
    """What a text may be: whether it is, how an error says it, and an example of one."""

    allows: Callable[[str], bool]
    says: str
    example: str


def _of_pattern(pattern: str, says: str, example: str) -> Rule:
    compiled = re.compile(pattern)
    return Rule(
        lambda text: (
            len(text) <= _LONGEST
            and text.isprintable()
            and compiled.fullmatch(text) is not None
        ),
        says,
        example,
    )


def is_python_name(text: str) -> bool:
    """Tell whether a text is an identifier, and one that reads alike everywhere: in ASCII."""
    return text.isascii() and text.isidentifier() and not keyword.iskeyword(text)


def _is_within(text: str) -> bool:
    """Tell whether a text is a relative path that stays where it starts.

    No part of it begins as an option of a compiler does, or as the name of a file with
    options (`@file`); and it has nothing that ends a `#include` or a line.
    """
    path = PurePosixPath(text)
    return (
        0 < len(text.encode()) <= _LONGEST
        and text.isprintable()
        and not set(text) & set('"\\')
        and not path.is_absolute()
        and not any(part == ".." or part[0] in "-@" for part in path.parts)
    )


def _is_path(text: str) -> bool:
    """Tell whether a text is a path, wherever it leads, that is no option and ends no line."""
    is_short = 0 < len(text.encode()) <= 8 * _LONGEST
    is_plain = text.isprintable() and not set(text) & set('"\\')
    return is_short and is_plain and text[0] not in "-@"


def _is_file(text: str) -> bool:
    return _is_within(text) and PurePosixPath(text).name != "" and text[-1] not in "/."


NAME = _of_pattern(
    r"[A-Za-z0-9][A-Za-z0-9_]*(?:[ .-][A-Za-z0-9_]+)*",
    "must be words of letters, digits and underscores",
    "a name such as vm_event",
)
C_NAME = _of_pattern(
    _C_NAME, "must be an identifier of C's", "the name as the header has it"
)
MEMBER = _of_pattern(
    rf"{_C_NAME}(?:\.{_C_NAME})*",
    "must be a member, or the path to one",
    "the name as the header has it, or one such as left.cons",
)
C_WORD = _of_pattern(
    r"[A-Za-z0-9_$]+",
    "must be the rest of a constant's name",
    "what follows the prefix in the header",
)
RECORD = _of_pattern(
    rf"(?:(?:struct|union) )?{_C_NAME}(?:\.{_C_NAME})*",
    "must be a struct or union",
    "it as C does, such as struct vm_event_st",
)
GROUP = _of_pattern(
    rf"{_C_NAME}|enum (?:{_C_NAME}|\{{{_C_NAME}\}})",
    "must be a prefix of constants, or 'enum' and a tag",
    "it as the header does, such as VM_EVENT_FLAG_ or enum mode",
)
DEFINE = _of_pattern(
    rf"{_C_NAME}(?:\([A-Za-z0-9_$., ]*\))?(?:=.*)?",
    "must be a macro's name, with '=' and its value if it has one",
    "a macro such as __XEN_TOOLS__ or BITS=64",
)
LICENSE = _of_pattern(
    r"[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*",
    "must be a licence as SPDX writes it",
    "an identifier of SPDX's, such as MIT",
)
URL = _of_pattern(
    r"https?://[^\s\"'<>\\]+",
    "must be the address of a page",
    "one that begins https://",
)
RELEASE = _of_pattern(
    r"[0-9]{1,4}\.[0-9]{1,4}",
    "must be a release of Xen in two numbers",
    "one such as 4.15, which stands for 4.15.1 too",
)
LIBRARY = _of_pattern(
    r"[A-Za-z0-9_+-]+(?:[.A-Za-z0-9_+-]|\{release\})*",
    "must be the name of a shared library",
    "the name that programs load it by, such as libxenevtchn.so.1, and have the variable"
    " LD_LIBRARY_PATH say its folder if the system does not search that",
)
# How a function's result tells of an error, by what kind of result that is.
NONE = "none"
ERRORS = ("negative", "null", "false")
FAILURE = Rule(
    lambda text: text in ERRORS,
    f"must be {', '.join(ERRORS[:-1])} or {ERRORS[-1]}",
    "which results tell of an error in errno",
)
FAILURE_OR_NONE = Rule(
    lambda text: text in (*ERRORS, NONE),
    f"must be {', '.join(ERRORS)} or {NONE}",
    "which result tells of an error in errno",
)
SIDE = _of_pattern(
    "frontend|backend", "must be 'frontend' or 'backend'", "the side that reads"
)
ERRNO = Rule(
    # Not errorcode, which has one name of each number: EOPNOTSUPP is ENOTSUP there.
    lambda text: text[:1] == "E" and isinstance(getattr(errno, text, None), int),
    "must be the name of an error number",
    "it as errno.h does, such as EACCES",
)
WORDS = Rule(
    lambda text: 0 < len(text) <= _LONGEST and text.isprintable(),
    "must be a line of words",
    "what to do about the error",
)
PYTHON_NAME = Rule(
    lambda text: len(text) <= _LONGEST and is_python_name(text),
    "must be a Python identifier and no keyword",
    "a name such as EventFlag",
)
FOLDER = Rule(
    _is_within,
    "must be a folder beside the spec",
    "a relative path without '..', such as v7",
)
SEARCHED = Rule(
    _is_path,
    "must be a folder",
    "a path, from the spec's folder if it is relative, such as ../common",
)
LIBC = _of_pattern("own|system", "must be 'own' or 'system'", "one of the two")
FILE = Rule(
    _is_file,
    "must be a header in the tree",
    "a relative path without '..', such as io/ring.h",
)
HEADERS = Rule(
    _is_file,
    "must be a header in the tree, or a pattern of several",
    "a relative path without '..', such as io/*.h",
)
TARGET = _of_pattern(
    "x86_64|i386|arm64|armhf|riscv64",
    "must be a target that xenbind knows",
    "x86_64, i386, arm64, armhf or riscv64",
)
SPEC = Rule(
    _is_file,
    "must be a spec beside this one",
    "a relative path without '..', such as tools/xenctrl.toml",
)

# What a generated package has beside it, what that imports and what else Python imports of
# itself: a package of such a name would be taken for it.
_TAKEN = frozenset("""
    compiled conftest interfaces macros members reference runtime subject
    test_against_c test_annotations test_functions test_uses tests xenbind
    exceptiongroup iniconfig numpy packaging pluggy pygments pytest tomli
    sitecustomize usercustomize
    """.split())


def fault_of_package(text: str) -> str:
    """Say why a text cannot be the name of a package; empty if it can."""
    if not is_python_name(text):
        return "must be a Python identifier and no keyword"
    if len(text) > _LONGEST // 2:  # files are written under longer names first
        return f"must have no more than {_LONGEST // 2} characters"
    if text.startswith("_") or text.endswith("_"):
        return (
            "must begin and end with a letter or digit, as it is installed by that name"
        )
    if text in sys.stdlib_module_names:
        return f"must not hide Python's own module {text}"
    if text in _TAKEN:
        return f"must not hide the {text} that its tests or Python look for"
    return ""


def is_own_module(text: str) -> bool:
    """Tell whether a package has a module of its own that may be called so."""
    own = ("common", "history", "macros", "runtime")
    return text in own or re.fullmatch(r"v\d+(_\d+)*", text) is not None


def is_own_name(text: str) -> bool:
    """Tell whether the package of a tree has a module or a name of its own that may be so."""
    return text in _OF_TREES or is_own_module(text)


_OF_TREES = {
    "Barriers",
    "HEADERS",
    "NoBarrier",
    "RingFull",
    "RingOrder",
    "RingOverflow",
    "TYPE_CHECKING",
    "UnknownHeader",
    "annotations",
    "cell",
    "column",
    "columns",
    "dtype",
    "header",
    "projection",
    "raw",
    "records",
}


def package_like(text: str, name: str) -> str:
    """Give a name for a package, after the one that it cannot have or else its interface's."""
    alike = _words(text)
    longer = (f"{each[:40]}_bindings" for each in (alike, _words(name)) if each)
    return next((c for c in (alike, *longer) if not fault_of_package(c)), "bindings")


def _words(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")

"""Read C's character and string literals as bytes (C11 6.4.4.4, 6.4.5).

Takes a literal as the preprocessor leaves it; gives bytes, for `constant_expressions`, or
text, for `lower`.  C's escapes look like Python's and are not: `\\N{...}` is Python's
alone, `\\?` and `\\e` are C's, and `\\x` takes as many digits as there are.

    content(r"'\\x41'")            ->  b"A"
    string_value('("xen" "-4.19")')  ->  "xen-4.19"
    string_value(r'L"\u00e9t\xe9"')   ->  "été"
"""

from __future__ import annotations

import re

from xenbind.frontend.macros import STRING

_SIMPLE = dict(zip("abfnrtve'\"?\\", b"\a\b\f\n\r\t\v\x1b'\"?\\", strict=True))
_ESCAPE = re.compile(
    r"\\(?:(?P<octal>[0-7]{1,3})|x(?P<hex>[0-9a-fA-F]+)"
    r"|u(?P<short>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|(?P<simple>.))",
    re.DOTALL,
)


# How a literal with each prefix is encoded, and the bytes of one of its units, as gcc and
# clang have it on each of the targets.
_CODECS = {
    "": ("utf-8", 1),
    "u8": ("utf-8", 1),
    "u": ("utf-16-le", 2),
    "L": ("utf-32-le", 4),
    "U": ("utf-32-le", 4),
}
_PARTS = re.compile(rf"(u8|[LuU]|)({STRING})")


def string_value(expansion: str) -> str:
    """Give the text of one or more string literals; one prefix is that of all (C11 6.4.5p5).

    Raises `ValueError`, with the reason, for an escape without a value, and for what is no
    text.
    """
    parts = _PARTS.findall(expansion)
    prefixes = {prefix for prefix, _ in parts if prefix} or {""}
    if len(prefixes) > 1:
        raise ValueError("its parts are strings of several kinds")
    (prefix,) = prefixes
    codec, _ = _CODECS[prefix]
    try:
        return b"".join(content(part, prefix) for _, part in parts).decode(codec)
    except UnicodeDecodeError:
        raise ValueError(f"its {_UNITS[codec]} are not {codec[:6].upper()}") from None


_UNITS = {"utf-8": "bytes", "utf-16-le": "characters", "utf-32-le": "characters"}


def size_of_unit(prefix: str) -> int:
    """Give the bytes of one unit of a literal with a prefix: 4 of `L`."""
    return _CODECS[prefix][1]


def content(literal: str, prefix: str = "") -> bytes:
    """Give the bytes of a literal between its quotes, as gcc and clang encode it.

    Raises `ValueError`, with the reason, for an escape that C does not have or whose
    value fits no unit, and for bytes of the header that are not UTF-8 in a wide one.
    """
    codec, size = _CODECS[prefix]
    parts = []
    at = 1
    for escape in _ESCAPE.finditer(literal, 1, len(literal) - 1):
        parts += [
            _encoded(literal[at : escape.start()], codec),
            _unit(escape, codec, size),
        ]
        at = escape.end()
    return b"".join([*parts, _encoded(literal[at:-1], codec)])


def _unit(escape: re.Match[str], codec: str, size: int) -> bytes:
    digits = escape["octal"] or escape["hex"]
    try:
        if digits:
            value = int(digits, 8 if escape["octal"] else 16)
            return value.to_bytes(size, "little")
        if character := escape["short"] or escape["long"]:
            return chr(int(character, 16)).encode(codec)
        return _SIMPLE[escape["simple"]].to_bytes(size, "little")
    except (KeyError, ValueError, OverflowError):
        raise ValueError(f"it has no value for {escape[0]}") from None


def _encoded(text: str, codec: str) -> bytes:
    # Bytes of the header that are not UTF-8 were read as surrogates.
    octets = text.encode("utf-8", errors="surrogateescape")
    if codec == "utf-8":
        return octets
    try:
        return octets.decode("utf-8").encode(codec)
    except UnicodeDecodeError:
        raise ValueError("its bytes are not UTF-8") from None

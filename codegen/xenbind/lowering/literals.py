"""Read C's character and string literals as bytes (C11 6.4.4.4, 6.4.5).

Takes a literal as the preprocessor leaves it; gives bytes, for `constant_expressions`, or
text, for `lower`.  C's escapes look like Python's and are not: `\\N{...}` is Python's
alone, `\\?` and `\\e` are C's, and `\\x` takes as many digits as there are.

    content(r"'\\x41'")            ->  b"A"
    string_value('("xen" "-4.19")')  ->  "xen-4.19"
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


def string_value(expansion: str) -> str:
    """Give the text of one or more string literals.

    Raises `ValueError`, with the reason, for an escape without a value, and for bytes
    that are no text.
    """
    parts = [content(part) for part in re.findall(STRING, expansion)]
    try:
        return b"".join(parts).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("its bytes are not UTF-8") from None


def content(literal: str) -> bytes:
    """Give the bytes of a literal between its quotes, as gcc and clang encode them: UTF-8.

    Raises `ValueError`, with the reason, for an escape that C does not have or whose
    value is no byte.
    """
    parts = []
    at = 1
    for escape in _ESCAPE.finditer(literal, 1, len(literal) - 1):
        parts += [_encoded(literal[at : escape.start()]), _byte(escape)]
        at = escape.end()
    return b"".join([*parts, _encoded(literal[at:-1])])


def _byte(escape: re.Match[str]) -> bytes:
    digits = escape["octal"] or escape["hex"]
    try:
        if digits:
            return bytes([int(digits, 8 if escape["octal"] else 16)])
        if character := escape["short"] or escape["long"]:
            return chr(int(character, 16)).encode()
        return bytes([_SIMPLE[escape["simple"]]])
    except (KeyError, ValueError, OverflowError):
        raise ValueError(f"it has no value for {escape[0]}") from None


def _encoded(text: str) -> bytes:
    # Bytes of the header that are not UTF-8 were read as surrogates.
    return text.encode("utf-8", errors="surrogateescape")

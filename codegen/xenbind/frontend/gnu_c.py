"""Read GNU C's spellings as tokens that the parser knows: a lexer, and a parser with it.

Takes preprocessed text; gives tokens.  `__attribute__((packed))` becomes an attribute as
C23 writes one, of the namespace `__attribute__`, at its own line and column, where C23
allows one, and those without an effect on a layout go; alternate keywords become plain
ones.  `parse` feeds the tokens to pycparser, and `attributes` reads what is then in the AST.

    int a __attribute__((packed));    ->  int a [[__attribute__::packed]];
    char *__attribute__((unused)) s;  ->  char *s;
    __const int b;                    ->  const int b;
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any

from pycparser import c_ast
from pycparser.c_lexer import CLexer, Token
from pycparser.c_parser import CParser, ParseError

from xenbind.source import Coord

_KEYWORDS = {
    "__const": "const",
    "__const__": "const",
    "__inline": "inline",
    "__inline__": "inline",
    "__restrict": "restrict",
    "__restrict__": "restrict",
    "__signed": "signed",
    "__signed__": "signed",
    "__typeof": "typeof",
    "__typeof__": "typeof",
    "__volatile": "volatile",
    "__volatile__": "volatile",
}
_ATTRIBUTE = frozenset(["__attribute__", "__attribute"])
NAMESPACE = "__attribute__"  # of attributes that are written in GNU C

# They change what a compiler warns of, how it calls, optimises or links.
HARMLESS = frozenset("""
    access alias alloc_size always_inline artificial assume_aligned cold const
    constructor counted_by deprecated designated_init destructor enum_extensibility
    error externally_visible fallthrough flag_enum flatten format format_arg gnu_inline
    hot leaf malloc may_alias maybe_unused no_sanitize noclone nodiscard noinline
    nonnull nonstring noreturn nothrow packed_not_aligned pure regparm returns_nonnull
    returns_twice section sentinel transparent_union unavailable unused used visibility
    warn_unused_result warning weak
    """.split())

# What may stand before a declaration's type; an attribute among them is the declaration's.
_STORAGE = frozenset("""
    TYPEDEF EXTERN STATIC INLINE REGISTER AUTO _NORETURN _THREAD_LOCAL CONST VOLATILE
    """.split())
_ENDS = frozenset(["SEMI", "COMMA", "LBRACE", "RBRACE", "ATTRIBUTE_END"])
_BEFORE_LEADING = _ENDS | {"TIMES"}
_OPENING, _CLOSING = ("LPAREN", "LBRACKET"), ("RPAREN", "RBRACKET")


class NotParsed(Exception):
    """Text that is not understood: the place and the word at which the parser stopped.

    There is no word where the text is not even a row of words.
    """

    def __init__(self, coord: Coord, word: str) -> None:
        super().__init__()
        self.coord = coord
        self.word = word


def parse(text: str) -> c_ast.FileAST:
    """Parse preprocessed text.  Raises `NotParsed`."""
    parser = CParser(lexer=GnuLexer, dialect="c23")
    try:
        return parser.parse(text)
    except ParseError as error:
        raise _not_parsed(parser.clex, str(error)) from None


_PLACE = re.compile(r"(.*?):(\d+):(\d+): ", re.DOTALL)


def _not_parsed(lexer: GnuLexer, message: str) -> NotParsed:
    """Find where the parser stopped: where it says so, else at the last word that it read."""
    token = lexer.latest
    if place := _PLACE.match(message):
        coord = Coord(place[1], int(place[2]), int(place[3]))
        token = lexer.find(coord)
    elif token is not None:
        coord = _coord(token)
    else:
        coord = Coord("", 1, 1)
    return NotParsed(coord, token.value if token else "")


class GnuLexer(CLexer):  # type: ignore[misc]
    """pycparser's lexer for GNU C.

    The parser must be one for the dialect c23, which knows attributes; the keywords stay
    those of C11, because headers may use C23's new ones as names.
    """

    def __init__(
        self, error_func: Callable[[str, int, int], None], dialect: str
    ) -> None:
        super().__init__(error_func, dialect="legacy")
        self._keyword_map["typeof"] = "TYPEOF"

    def input(self, text: str, filename: str = "") -> None:
        super().input(text, filename)
        self.latest: Token | None = None  # of those that the parser has taken
        self._rewritten: list[Token] = []
        self._rewritten = self._rewrite()
        self._following = iter(self._rewritten)

    def token(self) -> Token | None:
        token = next(self._following, None)
        self.latest = token or self.latest
        return token

    def find(self, coord: Coord) -> Token | None:
        """Give the token at a place, None where there is none."""
        return next((t for t in self._rewritten if _coord(t) == coord), None)

    def _rewrite(self) -> list[Token]:
        tokens: list[Token] = []
        following = iter(super().token, None)
        for token in following:
            if token.type == "ID" and token.value in _ATTRIBUTE:
                place = _c23_position(tokens)
                tokens[place:place] = _c23_attribute(token, following)
                continue
            if token.type == "ID" and token.value in _KEYWORDS:
                token.value = _KEYWORDS[token.value]
                token.type = self._keyword_map[token.value]
            tokens.append(token)
        return tokens


def _c23_position(tokens: list[Token]) -> int:
    """Find where C23 has an attribute that GNU C has at the end of `tokens`.

    Before `typedef` and its like at the start of a declaration, before a pointer's `const`,
    and before the colon of a bit-field.
    """
    leading = sum(1 for _ in takewhile(lambda t: t.type in _STORAGE, reversed(tokens)))
    start = len(tokens) - leading
    if leading and (start == 0 or tokens[start - 1].type in _BEFORE_LEADING):
        return start
    colon = _bit_field_colon(tokens)
    return len(tokens) if colon in (None, len(tokens) - 1) else colon


def _bit_field_colon(tokens: list[Token]) -> int | None:
    """Find the colon of the last declarator, None if that is no bit-field.

    It is the first outside of brackets, and no condition's: `int a : 1 ? 3 : 4`.
    """
    colon = None
    depth = 0
    for place in range(len(tokens) - 1, -1, -1):
        kind = tokens[place].type
        depth += (kind in _CLOSING) - (kind in _OPENING)
        if depth < 0 or (not depth and kind in _ENDS):
            break
        if not depth and kind in ("COLON", "CONDOP"):
            colon = place if kind == "COLON" else None
    return colon


def _c23_attribute(keyword: Token, following: Iterator[Token]) -> list[Token]:
    """Write `__attribute__((a, b(1)))` as attributes of C23 in the namespace of GNU C's."""
    found = _parenthesized(following)
    if [t.type for t in found[:2]] != ["LPAREN"] * 2:
        return [keyword, *found]  # for the parser to refuse
    tokens: list[Token] = []
    for attribute in _separated(found[2:-2]):
        name = attribute[0]
        if name.value.strip("_") in HARMLESS:
            continue
        if tokens:
            tokens.append(_token_at(name, "COMMA", ","))
        tokens.append(_token_at(name, "ID", NAMESPACE))
        tokens.append(_token_at(name, "COLONCOLON", "::"))
        tokens.append(_token_at(name, "ID", name.value))  # `const` is a name here
        if len(attribute) > 1:
            words = " ".join(token.value for token in attribute[1:])
            tokens.append(_token_at(attribute[1], "ATTRIBUTE_ARGUMENTS", words))
    if not tokens:
        return []
    begin = _token_at(keyword, "ATTRIBUTE_BEGIN", keyword.value)
    return [begin, *tokens, _token_at(found[-1], "ATTRIBUTE_END", found[-1].value)]


def _separated(tokens: list[Token]) -> Iterator[list[Token]]:
    """Take a list of attributes apart at its commas: each is a name, perhaps with arguments."""
    depth = 0
    attribute: list[Token] = []
    for token in tokens:
        depth += (token.type == "LPAREN") - (token.type == "RPAREN")
        if token.type == "COMMA" and not depth:
            if attribute:
                yield attribute
            attribute = []
        else:
            attribute.append(token)
    if attribute:
        yield attribute


def _parenthesized(following: Iterator[Token]) -> list[Token]:
    """Take the tokens up to the parenthesis that closes the first."""
    found: list[Token] = []
    depth = 0
    for token in following:
        depth += (token.type == "LPAREN") - (token.type == "RPAREN")
        found.append(token)
        if not depth:
            break
    return found


def _coord(token: Token) -> Coord:
    return Coord(token.filename, token.lineno, token.column)


def _token_at(token: Token, kind: str, value: str) -> Any:
    return Token(kind, value, token.lineno, token.column, token.filename)

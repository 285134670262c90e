"""Read GNU C's spellings as tokens that the parser knows: a lexer, and a parser with it.

Takes preprocessed text; gives tokens.  `__attribute__((packed))` becomes an attribute as
C23 writes one, of the namespace `__attribute__`, at its own line and column, where C23
allows one, and those without an effect on a layout go; alternate keywords become plain
ones, and so does the label that a function is given in assembly, which is its symbol.  What no
binding needs goes too: the bodies of functions, inline assembly, and assertions, which the
compiler has checked; of these the pragmas stay, which count for what follows.  `parse`
feeds the tokens to pycparser, and `attributes` reads what is then in the AST.

    int a __attribute__((packed));    ->  int a [[__attribute__::packed]];
    char *__attribute__((unused)) s;  ->  char *s;
    __const int b;                    ->  const int b;
    inline int f(void) { return 1; }  ->  inline int f(void);
    int g(void) __asm__("h");         ->  int g(void) [[__attribute__::asm("h")]];
    {[0 ... 7] = 1}                   ->  {[7] = 1}
    __builtin_types_compatible_p(t, u)  ->  _Generic(*(typeof(t) *)0, typeof(u): 1, default: 0)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import takewhile
from typing import Any

from pycparser import c_ast
from pycparser.c_lexer import CLexer, Token
from pycparser.c_parser import CParser, ParseError

from xenbind.source import Coord

_KEYWORDS = {
    "__complex": "_Complex",
    "__complex__": "_Complex",
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
# Of a type, the alignment that the compiler prefers: _Alignof gives the least.
_ALIGNMENT = frozenset(["__alignof", "__alignof__"])
_ASSEMBLY = frozenset(["asm", "__asm", "__asm__"])
_COMPATIBLE = "__builtin_types_compatible_p"
_NO_WORDS = frozenset(["__thread"])  # a storage class, which no type depends on
_ATTRIBUTE = frozenset(["__attribute__", "__attribute"])
NAMESPACE = "__attribute__"  # of attributes that are written in GNU C

LABEL = "asm"  # as one of them: what a function is called in assembly

# Types that gcc or clang has by itself, and that a header may use as it does a typedef's name.
_BUILT_IN = tuple("""
    __builtin_va_list __builtin_ms_va_list __int128_t __uint128_t __bf16 __fp16 __float80
    __float128 __ibm128 _Float16 _Float32 _Float64 _Float128 _Float32x _Float64x _Float128x
    _Decimal32 _Decimal64 _Decimal128
    """.split())

# They have a function called otherwise; `attributes` knows on which targets.
CONVENTIONS = frozenset("""
    aarch64_vector_pcs fastcall interrupt m68k_rtd ms_abi pascal pcs preserve_all preserve_most
    preserve_none regcall regparm riscv_vector_cc sseregparm stdcall swiftasynccall swiftcall
    thiscall vectorcall
    """.split())

# They change what a compiler warns of, how it calls, optimises or links.
HARMLESS = frozenset("""
    access alias alloc_align alloc_size always_inline artificial assume_aligned cdecl
    cleanup cold common const constructor counted_by deprecated designated_init
    destructor diagnose_if enable_if enum_extensibility error externally_visible
    fallthrough fd_arg fd_arg_read fd_arg_write flag_enum flatten format format_arg
    gcc_struct gnu_inline hot ifunc leaf malloc may_alias maybe_unused naked nocommon nodebug
    no_icf no_instrument_function no_profile_instrument_function no_reorder no_sanitize
    no_sanitize_address no_sanitize_thread no_sanitize_undefined no_split_stack
    no_stack_limit no_stack_protector noclone nodiscard noinline noipa nonnull nonstring
    noplt noreturn nothrow optimize overloadable packed_not_aligned
    preserve_access_index pure retain returns_nonnull returns_twice section
    sentinel simd stack_protect symver sysv_abi tainted_args target
    target_clones tls_model transparent_union unavailable unused used
    visibility warn_if_not_aligned warn_unused_result warning weak weakref
    """.split())

# What may stand before a declaration's type; an attribute among them is the declaration's.
_STORAGE = frozenset("""
    TYPEDEF EXTERN STATIC INLINE REGISTER AUTO _NORETURN _THREAD_LOCAL CONST VOLATILE
    """.split())
_ENDS = frozenset(["SEMI", "COMMA", "LBRACE", "RBRACE", "ATTRIBUTE_END"])
_STATEMENT_ENDS = frozenset(["SEMI", "RBRACE"])
_BEFORE_LEADING = _ENDS | {"TIMES"}
_OPENING, _CLOSING = ("LPAREN", "LBRACKET"), ("RPAREN", "RBRACKET")
_DEEPER = dict.fromkeys(("LPAREN", "LBRACKET", "LBRACE"), 1)
_HIGHER = dict.fromkeys(("RPAREN", "RBRACKET", "RBRACE"), -1)
_DEPTH = {**_DEEPER, **_HIGHER}
_PARENTHESES = ("LPAREN", "RPAREN")
_PRAGMA = ("PPPRAGMA", "PPPRAGMASTR")


class NotParsed(Exception):
    """Text that is not understood: the place and the word at which the parser stopped.

    There is no word where the text is not even a row of words.
    """

    def __init__(self, coord: Coord, word: str) -> None:
        super().__init__()
        self.coord = coord
        self.word = word


def parse(text: str, keeps_bodies: bool = False) -> c_ast.FileAST:
    """Parse preprocessed text; with `keeps_bodies`, that of functions.  Raises `NotParsed`."""
    parser = CParser(lexer=GnuLexer, dialect="c23")
    parser.clex.keeps_bodies = keeps_bodies
    known = [f"typedef int {name};" for name in _BUILT_IN if name in text]
    try:
        tree = parser.parse("".join(known) + text)
    except ParseError as error:
        raise _not_parsed(parser.clex, str(error)) from None
    # Parser and lexer hold each other: of a long header, 50 MB of tokens would outlive them.
    vars(parser).clear()
    del tree.ext[: len(known)]
    return tree


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

    keeps_bodies = False

    def __init__(
        self, error_func: Callable[[str, int, int], None], dialect: str
    ) -> None:
        super().__init__(error_func, dialect="legacy")
        self._keyword_map["typeof"] = "TYPEOF"

    def input(self, text: str, filename: str = "") -> None:
        super().input(text, filename)
        self.latest: Token | None = None  # of those that the parser has taken
        self._rewritten: list[Token] = []
        self._rewritten = self._rewrite(iter(super().token, None))
        self._following = iter(self._rewritten)

    def token(self) -> Token | None:
        token = next(self._following, None)
        self.latest = token or self.latest
        return token

    def find(self, coord: Coord) -> Token | None:
        """Give the token at a place, None where there is none."""
        return next((t for t in self._rewritten if _coord(t) == coord), None)

    def _rewrite(self, following: Iterator[Token]) -> list[Token]:
        tokens: list[Token] = []
        depth = parentheses = 0
        is_initialized = False  # what is declared here, outside of all braces
        for token in following:
            if token.type == "ID":
                if token.value in _ATTRIBUTE:
                    place = _c23_position(tokens)
                    tokens[place:place] = _c23_attribute(token, following)
                    continue
                if token.value in _ASSEMBLY:
                    words = _assembly(following)
                    if not depth and tokens and tokens[-1].type not in _STATEMENT_ENDS:
                        place = _c23_position(tokens)
                        tokens[place:place] = _label(token, words)
                    continue
                if token.value in _NO_WORDS:
                    continue
                if token.value == _COMPATIBLE:
                    types = _separated(_enclosed(following)[1:-1])
                    tokens += self._rewrite(iter(_selection(token, list(types))))
                    continue
                if token.value in _ALIGNMENT:
                    token = _token_at(token, "_ALIGNOF", "__alignof__")
                elif token.value in _KEYWORDS:
                    token.value = _KEYWORDS[token.value]
                    token.type = self._keyword_map[token.value]
            elif token.type == "_STATIC_ASSERT":
                tokens += _pragmas(_enclosed(following))
                next(following, None)  # its semicolon
                continue
            elif token.type in _DEPTH:
                is_body = token.type == "LBRACE" and not (depth or is_initialized)
                if is_body and not self.keeps_bodies and _ends_parameters(tokens):
                    body = _enclosed(following, 1)
                    tokens += [_token_at(body[-1], "SEMI", ";"), *_pragmas(body)]
                    continue
                depth += _DEPTH[token.type]
                parentheses += _DEPTH[token.type] * (token.type in _PARENTHESES)
            elif token.type == "PPPRAGMASTR" and parentheses:
                if changes_layout(token.value):  # where it could be passed over
                    raise NotParsed(_coord(token), token.value)
            elif token.type == "ELLIPSIS" and (begin := _range(tokens)) is not None:
                del tokens[begin:]
                continue
            elif not depth and token.type in ("EQUALS", "SEMI"):
                is_initialized = token.type == "EQUALS"
            is_pointer = token.type == "TIMES"
            tokens.insert(
                _before_conventions(tokens) if is_pointer else len(tokens), token
            )
        return tokens


_LAYOUT = ("pack", "ms_struct", "scalar_storage_order", "options", "align")
# Of gcc's, as it has them in the pragma `GCC optimize`.
_OF_LAYOUT = re.compile(r"pack-struct|short-enums")


def changes_layout(pragma: str) -> bool:
    """Tell whether what a pragma says changes the layout of what follows."""
    words = re.findall(r"\w+", pragma)
    if any(word in _LAYOUT for word in words[:2]):
        return True
    return "optimize" in words[:2] and _OF_LAYOUT.search(pragma) is not None


def _pragmas(tokens: Iterable[Token]) -> list[Token]:
    """Give the pragmas among tokens that are left out: they count for what follows."""
    return [token for token in tokens if token.type in _PRAGMA]


def _ends_parameters(tokens: list[Token]) -> bool:
    """Tell whether these end with a function's parameters, and perhaps attributes: no record's."""
    place = len(tokens) - 1
    while place >= 0 and tokens[place].type == "ATTRIBUTE_END":
        while tokens[place].type != "ATTRIBUTE_BEGIN":
            place -= 1
        place -= 1
    return place >= 0 and tokens[place].type == "RPAREN"


def _before_conventions(tokens: list[Token]) -> int:
    """Find where a `*` belongs behind `(__attribute__((ms_abi))`: C23 has that behind the `*`.

    At the end of the tokens where these are no such.
    """
    place = len(tokens)
    while place and tokens[place - 1].type == "ATTRIBUTE_END":
        while tokens[place - 1].type != "ATTRIBUTE_BEGIN":
            place -= 1
            if tokens[place].type == "COLONCOLON" and (
                tokens[place + 1].value.strip("_") not in CONVENTIONS
            ):
                return len(tokens)
        place -= 1
    is_first = place > 0 and tokens[place - 1].type == "LPAREN"
    return place if is_first else len(tokens)


def _range(tokens: list[Token]) -> int | None:
    """Find where the range begins that goes on here, `[0 ...`: its end tells an array's length."""
    depth = 0
    for place in range(len(tokens) - 1, -1, -1):
        depth -= _DEPTH.get(tokens[place].type, 0)
        if depth < 0:
            return place + 1 if tokens[place].type == "LBRACKET" else None
    return None


def _assembly(following: Iterator[Token]) -> list[Token]:
    """Take what follows the word `asm`: perhaps qualifiers, and what is in parentheses."""
    for token in following:
        if token.type == "LPAREN":
            return _enclosed(following, 1)[:-1]
    return []


def _label(keyword: Token, words: list[Token]) -> list[Token]:
    """Write the label of what is declared as an attribute."""
    said = " ".join(token.value for token in words)
    return [
        _token_at(keyword, "ATTRIBUTE_BEGIN", keyword.value),
        _token_at(keyword, "ID", NAMESPACE),
        _token_at(keyword, "COLONCOLON", "::"),
        _token_at(keyword, "ID", LABEL),
        _token_at(keyword, "ATTRIBUTE_ARGUMENTS", said),
        _token_at(keyword, "ATTRIBUTE_END", keyword.value),
    ]


def _selection(word: Token, types: list[list[Token]]) -> list[Token]:
    """Ask whether two types are compatible as C11 has it; `typeof` has no qualifiers here."""
    if len(types) != 2:
        return [word]  # for the parser to refuse
    parts: list[list[Token] | tuple[str, str]] = [
        *(("_GENERIC", "_Generic"), ("LPAREN", "("), ("TIMES", "*"), ("LPAREN", "(")),
        *(("TYPEOF", "typeof"), ("LPAREN", "("), types[0], ("RPAREN", ")")),
        *(("TIMES", "*"), ("RPAREN", ")"), ("INT_CONST_DEC", "0"), ("COMMA", ",")),
        *(("TYPEOF", "typeof"), ("LPAREN", "("), types[1], ("RPAREN", ")")),
        *(
            ("COLON", ":"),
            ("INT_CONST_DEC", "1"),
            ("COMMA", ","),
            ("DEFAULT", "default"),
        ),
        *(("COLON", ":"), ("INT_CONST_DEC", "0"), ("RPAREN", ")")),
    ]
    tokens: list[Token] = []
    for part in parts:
        tokens += part if isinstance(part, list) else [_token_at(word, *part)]
    return tokens


def _enclosed(following: Iterator[Token], depth: int = 0) -> list[Token]:
    """Take the tokens up to the one that closes the first, or as many as are open already."""
    found: list[Token] = []
    for token in following:
        depth += _DEPTH.get(token.type, 0)
        found.append(token)
        if not depth:
            break
    return found


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
    found = _enclosed(following)
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


def _coord(token: Token) -> Coord:
    return Coord(token.filename, token.lineno, token.column)


def _token_at(token: Token, kind: str, value: str) -> Any:
    return Token(kind, value, token.lineno, token.column, token.filename)

"""Tell whether a header uses anything of the system's headers but the integers of <stdint.h>.

Takes a header that is preprocessed; tells whether its own files mention a macro or a name of a
system header's, select by a macro that is none of their own, or check a size.  The system's
headers ask for their target's macros, each in its way: `pipeline` has other targets' compilers
read a header that does so itself, or that uses what they declare.  What <stdint.h> is for
`ir.abi` knows of every target.

    #include <stdint.h>            #include <sys/types.h>
    struct a { uint64_t b; };      struct a { off_t b; };
    ->  it uses nothing else       ->  it uses off_t
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from xenbind.frontend.cut import NAME
from xenbind.frontend.directives import Preprocessed, quoted, sections
from xenbind.ir.abi import X86_64
from xenbind.source import code_of

# What a system header may define on another target alone, and what it defined before.
_DEFAULT = re.compile(
    r"#[ \t]*if(?:ndef|[ \t]*![ \t]*defined)\b[ \t(]*(\w+)[ \t)]*\n\s*#[ \t]*define[ \t]+\1[ \t]+\S"
    r"|^[ \t]*#[ \t]*undef\b",
    re.MULTILINE,
)
_CONDITION = re.compile(r"^[ \t]*#[ \t]*(?:el)?if\w*(.*)", re.MULTILINE)
# What one target's compiler may refuse and another's take, and what is in all of that but wide
# bit-fields.
_CHECKED = re.compile(
    r"\b(?:_S|s)tatic_assert\b|\bsizeof\b|\b_*[aA]lignof|\b_*asm|\b__int128"
)
_IN_CHECKED = ("tatic_assert", "sizeof", "lignof", "asm", "__int128")
_WIDE = re.compile(r":\s*(?:3[3-9]|[4-6]\d)\b")
# Words that mean the same to every header on every target.
_KNOWN = frozenset(
    word for name in X86_64.integers for word in name.split()
) | frozenset(
    """
    void float double signed unsigned struct union enum typedef const volatile extern static
    inline restrict __attribute__ aligned packed defined __cplusplus
    """.split()
)


def uses_system_names(preprocessed: Preprocessed, texts: Mapping[str, str]) -> bool:
    """Tell whether own files, whose texts are given by name, use what system headers declare.

    What checks a size does, too: not every target's compiler may take that.  So does what stands
    in for a macro of theirs, or takes one back.  A name too many costs time alone.
    """
    used: set[str] = set()
    asked: set[str] = set()
    for text in texts.values():
        code = code_of(text)
        if _is_checked(code) or _DEFAULT.search(code):
            return True
        used.update(NAME.findall(code))
        for condition in _CONDITION.findall(code):
            asked.update(NAME.findall(condition))
    own = {m.name for m in preprocessed.macros.values() if m.coord.file in texts}
    if not asked <= own | _KNOWN:
        return True
    used -= _KNOWN
    if not used.isdisjoint(preprocessed.macros.keys() - own):
        return True
    files = {quoted(file) for file in preprocessed.system}
    return any(
        file in files and not used.isdisjoint(NAME.findall(section))
        for file, section in sections(preprocessed.text)
    )


def _is_checked(code: str) -> bool:
    if _WIDE.search(code):
        return True
    return any(word in code for word in _IN_CHECKED) and bool(_CHECKED.search(code))


# A file with as many of each closes what it opens; `pack(1)` is one that `pack()` closes.
_PACK = re.compile(
    r"""(?:\bpragma\b|\b_Pragma[ \t]*\([ \t]*L?")[ \t]*pack[ \t]*\([ \t]*(\w*)"""
)


def may_pack_others(texts: Iterable[str]) -> bool:
    """Tell whether a system header, of these texts, has a `#pragma pack` that it leaves open.

    What includes it is packed by that, and names nothing of it.
    """
    for text in texts:
        if "pack" not in text:
            continue
        words = _PACK.findall(code_of(text))
        limits = [word for word in words if word not in ("push", "pop")]
        if words.count("push") != words.count("pop") or any(limits[-1:]):
            return True
    return False

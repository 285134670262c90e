"""What is read of a header is the same whether all that it includes is parsed, or what it needs."""

from __future__ import annotations

from pathlib import Path

import pytest
from xenbind import spec
from xenbind.frontend import header, needed
from xenbind.ir.interface import Interface
from xenbind.pipeline import read
from xenbind.plain import replace

SPEC = """\
[interface]
name = "own"
package = "own"
header = "own.h"
[functions]
library = "libc.so.6"
"""
# Long enough that most of the text is not the header's own.
OTHERS = """\
typedef unsigned long words_t;
typedef struct unseen { int nothing; } unseen_t;
enum kind { KIND_ONE = 1, KIND_TWO };
struct reached { enum kind kind; words_t words; };
struct sized { char bytes[24]; };
struct behind { unseen_t *unseen; };
static const int STARTING = KIND_TWO + 3;
int open_it(struct behind *) __asm__("open_it_64");
int close_it(struct behind *);
#define LONGEST(count) ((count) * sizeof(struct sized))
#pragma pack(push, 1)
struct unneeded { char octet; words_t words; };
struct packed { char octet; words_t words; };
#pragma pack(pop)
""" + "".join(f"extern int never_called_{number}(int);\n" for number in range(40))
OWN = {
    "a type in a member": "struct own { struct reached reached; };",
    "a pointer": "struct own { struct behind *behind; unseen_t *unseen; };",
    "packed there": "struct own { struct packed packed; };",
    "a size": "struct own { char room[KIND_TWO]; };",
    "an expression": "struct own { char room[sizeof(struct sized)]; };",
    "the type of something": "struct own { __typeof__(((struct reached *)0)->words) words; };",
    "a constant": "#define FIRST KIND_ONE\n#define SIZE ((int)sizeof(struct sized))",
    "a constant's variable": "#define START (STARTING + 1)",
    "a macro's macro": "#define ALL LONGEST(4)",
    "a parameter": "int own(const struct reached *reached, words_t words);",
    "a symbol": "int open_it(struct behind *);",
    "nothing": "#define ALONE 1",
}


def as_read(folder: Path) -> Interface:
    loaded = spec.load(folder / "spec.toml").for_tree(folder)
    read_for = read(loaded, loaded.versions[0], ("gcc",))
    # Of names that macros have, those that nothing needs are no hindrance.
    return replace(read_for, hidden=())


@pytest.mark.parametrize("case", OWN)
def test_what_is_not_needed_changes_nothing(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "spec.toml").write_text(SPEC)
    (tmp_path / "others.h").write_text(OTHERS)
    (tmp_path / "own.h").write_text(f'#include "others.h"\n{OWN[case]}\nint last;\n')
    asked: list[str] = []

    def only_needed(text: str, *given: object, **named: object) -> str:
        asked.append(text)
        return needed.only_needed(text, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(header, "only_needed", only_needed)
    found = as_read(tmp_path)
    assert asked
    monkeypatch.setattr(header, "is_mostly_of_others", lambda text, own: False)
    assert found == as_read(tmp_path)

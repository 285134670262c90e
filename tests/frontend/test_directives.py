"""What the preprocessor prints, taken apart."""

from __future__ import annotations

from pathlib import Path

from xenbind.frontend.directives import split
from xenbind.source import Sources


def test_digraphs_are_brackets_outside_of_literals() -> None:
    printed = "struct s <% char c<:sizeof(\"<%\") + '%>':>; %>;"
    found = split(f'# 1 "h.h"\n{printed}', Path("h.h"), Sources())
    assert found.text.splitlines()[-1] == (
        "struct s {  char c[ sizeof(\"<%\") + '%>'] ; } ;"
    )

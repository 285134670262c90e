"""What became of a library's functions between two versions of its header."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support import xenbind

SPEC = """\
[interface]
name = "post"
package = "post"
header = "post.h"
needs = ["stdint.h"]

[functions]
library = "libpost.so"

[[version]]
number = 1
directory = "v1"

[[version]]
number = 2
directory = "v2"
"""
OLD = """\
typedef struct post post;
typedef uint16_t town_t;
int post_open(town_t town);
int post_close(post *p);
int post_send(post *p, const char *letter);
int post_each(post *p, int (*visit)(int number));
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "post.toml").write_text(SPEC)
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "post.h").write_text(OLD)
    return tmp_path


def diff(folder: Path, new: str, *options: str) -> tuple[int, str]:
    (folder / "v2" / "post.h").write_text(new)
    result = xenbind("diff", "--spec", "post.toml", *options, "1", "2", cwd=folder)
    assert result.stderr == ""
    return result.returncode, result.stdout


def test_names_of_parameters_mean_nothing(folder: Path) -> None:
    renamed = OLD.replace("*letter", "*text").replace("int number", "int n")
    assert diff(folder, renamed)[1] == "post version 1 → 2: same\n"


def test_a_function_more_is_an_addition(folder: Path) -> None:
    _, told = diff(folder, OLD + "int post_weigh(post *p);\n")
    assert told == (
        "post version 1 → 2: additions only\n\nfunctions\n  + int post_weigh(post *)\n"
    )


def test_what_takes_something_else_is_broken(folder: Path) -> None:
    new = OLD.replace("const char *letter", "char *letter, int count")
    new = new.replace("int post_close(post *p);\n", "").replace("uint16_t", "uint32_t")
    _, told = diff(folder, new)
    assert told == (
        "post version 1 → 2: breaking\n"
        "\n"
        "typedefs\n"
        "  ~ town_t: uint16_t → uint32_t\n"
        "\n"
        "functions\n"
        "  ~ int post_open(uint16_t) → int post_open(uint32_t)\n"
        "  - int post_close(post *)\n"
        "  ~ int post_send(post *, const char *) → int post_send(post *, char *, int)\n"
    )


def test_programs_are_told_too(folder: Path) -> None:
    _, told = diff(folder, OLD.replace("int post_close", "void post_close"), "--json")
    assert json.loads(told)["functions"] == [
        {
            "name": "post_close",
            "change": "changed",
            "breaking": True,
            "old": "int post_close(post *)",
            "new": "void post_close(post *)",
        }
    ]

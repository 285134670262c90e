"""What a user is told of what the package cannot have: one folder of tests/notes for each rule.

A folder holds a header tree, and perhaps its own spec.toml; the file `expected` holds what
`xenbind generate` prints on standard error.  The rest of the header is generated, and `verify`
finds nothing wrong.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from golden_files import check_golden
from support import PROJECT, xenbind

NOTES = PROJECT / "tests" / "notes"
CASES = sorted(path.name for path in NOTES.iterdir() if path.is_dir())


@pytest.mark.parametrize("case", CASES)
def test_what_is_left_out_is_told_once_at_its_place(case: str, tmp_path: Path) -> None:
    own_spec = NOTES / case / "spec.toml"
    spec = ("--spec", own_spec) if own_spec.exists() else ()
    options = (*spec, "--include", case, "--out", tmp_path / "generated")
    made = xenbind("generate", *options, cwd=NOTES, CC="gcc")
    assert made.returncode == 0
    assert "1 structs and unions" in made.stdout
    check_golden(NOTES / case / "expected", made.stderr)

    verified = xenbind("verify", *options, cwd=NOTES, CC="gcc")
    assert (verified.returncode, verified.stderr) == (0, "")

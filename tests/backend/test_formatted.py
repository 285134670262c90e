"""What black made of texts, remembered from one run to the next."""

from __future__ import annotations

from pathlib import Path

import pytest
from xenbind.backend.formatted import Formatted
from xenbind.backend.formatting import Formatter
from xenbind.workers import Workers

LEFT, CHANGED = "a = 1\n", "a = {'b':1}\n\nc = '\ud800'\n"


def remembered(folder: Path) -> Formatted:
    """What a run knows after one that was told of two texts."""
    told = Formatted(folder)
    told.add(LEFT, LEFT)
    told.add(CHANGED, 'a = {"b": 1}\n')
    told.keep()
    return Formatted(folder)


def test_the_next_run_knows_what_this_one_was_told(tmp_path: Path) -> None:
    known = remembered(tmp_path)
    assert known
    assert known.get(LEFT) == LEFT
    assert known.get(CHANGED) == 'a = {"b": 1}\n'
    assert known.get("b = 1\n") is None


def test_another_black_is_asked_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered(tmp_path)
    monkeypatch.setattr("xenbind.user_cache.black_version", lambda: "99.1")
    other = Formatted(tmp_path)
    assert not other and other.get(LEFT) is None


def test_damaged_lines_are_not_known_and_the_others_are(tmp_path: Path) -> None:
    remembered(tmp_path)
    (path,) = tmp_path.iterdir()
    first, second, _ = path.read_text().split("\n")
    path.write_text(f"\x00garbage\n{first}\n{second[:-3]}\n{second}")
    known = Formatted(tmp_path)
    assert known.get(LEFT) == LEFT
    assert known.get(CHANGED) is None  # cut off, and the last line has no end
    path.write_bytes(b"\xff\xfe\n" + f"{first}\n".encode())
    assert Formatted(tmp_path).get(LEFT) == LEFT


@pytest.mark.parametrize("made", ["5", "null", '"x = 5"', "[" * 200_000])
def test_a_result_that_somebody_has_changed_is_not_known(
    tmp_path: Path, made: str
) -> None:
    remembered(tmp_path)
    (path,) = tmp_path.iterdir()
    _, second, _ = path.read_text().split("\n")
    digest, seal, _ = second.split(" ", 2)
    path.write_text(f"{digest} {seal} {made}\n")
    assert Formatted(tmp_path).get(CHANGED) is None


def test_what_cannot_be_kept_is_no_error(tmp_path: Path) -> None:
    assert remembered(tmp_path / "missing").get(LEFT) is None
    nothing = Formatted()
    nothing.add(LEFT, LEFT)
    nothing.keep()
    assert Formatted().get(LEFT) is None


def test_a_file_that_has_become_large_begins_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remembered(tmp_path)
    monkeypatch.setattr("xenbind.backend.formatted._MOST", 10)
    told = Formatted(tmp_path)
    told.add("b = 1\n", "b = 1\n")
    told.keep()
    known = Formatted(tmp_path)
    assert known.get("b = 1\n") and known.get(LEFT) is None


class Unasked(Workers):
    """Processes that must not be asked for anything."""

    def submit(self, *given: object, **named: object) -> None:  # type: ignore[override]
        raise AssertionError(given)


def formatted(texts: dict[str, str], folder: Path, workers: Workers) -> dict[str, str]:
    formatter = Formatter(workers, Formatted(folder))
    formatter.start(texts)
    return formatter.result()


def test_black_is_not_asked_twice(tmp_path: Path) -> None:
    structs = "".join(
        f"\n\nclass s{n}(A):\n    first: int\n    second: int\n" for n in "abc"
    )
    texts = {"a.py": f"import  os\n{structs}", "b.py": structs.replace("first", "last")}
    with Workers(1) as workers:
        made = formatted(texts, tmp_path, workers)
    assert made["a.py"].startswith("import os\n\n\nclass sa(A):\n")
    other = {"a.py": texts["a.py"].replace("second", "third"), "b.py": texts["b.py"]}
    again = formatted(other, tmp_path, Unasked())
    assert again == {**made, "a.py": made["a.py"].replace("second", "third")}

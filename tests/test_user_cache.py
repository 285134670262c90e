"""The folder for what one run can spare the next."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest
from xenbind import user_cache


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the user's, which has no cache folder yet."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    return tmp_path


def test_it_is_made_where_the_user_s_caches_are(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert user_cache.folder() == home / ".cache" / "xenbind"
    assert (home / ".cache" / "xenbind").stat().st_mode & 0o777 == 0o700
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "caches"))
    assert user_cache.folder() == home / "caches" / "xenbind"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")  # which is to be ignored
    assert user_cache.folder() == home / ".cache" / "xenbind"


def test_there_is_none_where_nothing_can_be_written(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    assert user_cache.folder() is None
    (home / ".cache").write_text("")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert user_cache.folder() is None


@pytest.mark.parametrize("mode", [0o770, 0o702])
def test_one_that_others_can_write_is_not_used(home: Path, mode: int) -> None:
    """Compiled templates in it are executed."""
    found = user_cache.folder()
    assert found is not None
    found.chmod(mode)
    assert user_cache.folder() is None


def test_one_of_another_user_is_not_used(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert user_cache.folder() is not None
    monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert user_cache.folder() is None


def test_black_s_version_is_its_own() -> None:
    assert user_cache.black_version() == version("black")

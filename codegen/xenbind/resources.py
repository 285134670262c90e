"""Where xenbind's own files are: beside its modules in a wheel, above them in a checkout."""

from __future__ import annotations

from pathlib import Path

from xenbind.errors import XenbindError


def package() -> Path:
    """The folder of xenbind's own modules."""
    return Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder `templates`, `runtime` or `headers` that came with this xenbind."""
    for parent in (package(), package().parents[1]):
        if (parent / name).is_dir():
            return parent / name
    raise XenbindError(
        f"xenbind's own folder '{name}' is missing beside {package()}",
        "reinstall xenbind, or run it from a whole checkout",
    )

"""Write the pages, which tests/test_reference.py holds current."""

from __future__ import annotations

from reference_pages import measured
from reference_pages.pages import FOLDER, PAGES, VERIFIED


def main() -> None:
    """Write every page."""
    for name, page in {**PAGES, VERIFIED: measured.verified}.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()

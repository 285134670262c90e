"""Remember what black makes of a text, from one run to the next.

Takes texts and what black made of them; gives that again.  `formatting` asks here before it
has black imported, which takes as long as to read a small header.

The file has a line for each text: its digest, one of the line, and, if black changed the text,
the result as JSON.

Of the shapes that most headers' packages have, a first run knows as well that black leaves them:
left_alone.txt has the year of a black, whose style is one and the same for so long, and the
beginning of each shape's digest.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from xenbind import user_cache

# Bytes; then it begins anew. All that this project generates takes a tenth of that, and a run
# that knows more begins later.
_MOST = 1 << 20
_LONGEST = 64 << 20  # what is read of a file that somebody else has made longer
_DIGITS = 64  # of a digest
BEGINNING = 16  # of them, in left_alone.txt
LEFT_ALONE = Path(__file__).with_name("left_alone.txt")


class Formatted:
    """What one version of black is known to make of texts.

    Without a folder it remembers nothing.  Lines that are damaged are none.  It is false of what
    knows nothing: black will be asked.
    """

    def __init__(self, folder: Path | None = None) -> None:
        version = user_cache.black_version()
        self._path = folder and folder / f"black-{version}.formatted"
        self._known = self._read()  # lines by the text's digest
        self._left_alone = _left_alone(version)
        self._new: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._known or self._left_alone)

    def _read(self) -> dict[bytes, bytes]:
        content = b""
        if self._path is not None:
            with suppress(OSError), self._path.open("rb") as file:
                content = file.read(_LONGEST)
        # As bytes, and no more taken apart than that: there are thousands, and a run asks for
        # a few of them.
        return {line[:_DIGITS]: line for line in content.split(b"\n")[:-1]}

    def get(self, text: str) -> str | None:
        """Give what black makes of a text; None if that is not known."""
        digest = _digest(text)
        if digest[:BEGINNING] in self._left_alone:
            return text
        line = self._known.get(digest.encode(), b"").decode(errors="replace")
        _, _, sealed = line.partition(" ")
        seal, _, made = sealed.partition(" ")
        if seal != _digest(digest + made):
            return None
        return str(json.loads(made)) if made else text

    def add(self, text: str, made: str) -> None:
        """Remember what black made of a text."""
        self._new[_digest(text)] = "" if made == text else json.dumps(made)

    def keep(self) -> None:
        """Have the next run know what was added; that it cannot be written is no error."""
        if self._path is None or not self._new:
            return
        lines = [
            f"{digest} {_digest(digest + made)} {made}"
            for digest, made in self._new.items()
        ]
        with suppress(OSError):
            is_large = self._path.exists() and self._path.stat().st_size > _MOST
            with self._path.open("w" if is_large else "a", encoding="utf-8") as file:
                # At once: runs beside this one write here, too.
                file.write("\n".join([*lines, ""]))


def _left_alone(version: str) -> frozenset[str]:
    """Give the beginnings of the digests of what a black leaves as it is; none of another year."""
    year, *digests = LEFT_ALONE.read_text(encoding="ascii").split()
    return frozenset(digests if version.partition(".")[0] == year else ())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

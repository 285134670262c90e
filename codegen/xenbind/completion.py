"""What the Tab key offers for arguments: versions of the spec, folders, and reasons of events.

Takes what click hands to `shell_complete`: the context, with the options before, and the
beginning of a word; gives the words that it may become.  Whoever completes is not told of
errors: there is nothing to offer then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps

import click
from click.shell_completion import CompletionItem

from xenbind.errors import XenbindError
from xenbind.options import load_spec, places

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def quiet(complete: Completer) -> Completer:
    """Offer nothing where a spec, a header or a compiler cannot be used."""

    @wraps(complete)
    def offer(
        ctx: click.Context, param: click.Parameter, word: str
    ) -> list[CompletionItem]:
        try:
            return complete(ctx, param, word)
        except (XenbindError, OSError):
            return []

    return offer


@quiet
def versions(
    ctx: click.Context, param: click.Parameter, word: str
) -> list[CompletionItem]:
    """Offer the spec's versions, or folders for a word that begins none.

    Of several with one number, the newest has the number and the others their first release.
    Those of libraries stand behind the library's name.  `diff --tree` takes folders alone.
    """
    if ctx.params.get("tree"):
        return [CompletionItem(word, type="dir")]
    spec = load_spec(places(ctx.params.get("spec")).spec)
    names = {
        each.name_of(v.release or str(v.number)): v.releases
        for each in spec.with_libraries
        for v in each.versions
    }
    offered = [
        CompletionItem(name, help=_releases(name, releases))
        for name, releases in names.items()
        if name.startswith(word)
    ]
    return offered or [CompletionItem(word, type="dir")]


def _releases(name: str, releases: Sequence[str]) -> str | None:
    """Say which releases a version is of, unless its name says it."""
    return None if name.endswith(".".join(releases)) else ", ".join(releases)

"""What shells are told at the Tab key, where click's own words for them fall short.

That is `--option=value`: bash has three words of it, of which `=` is one; zsh and fish have one
word, and what is offered is put in its place.  Fish is shown the whole of a help text, not what
stands before its first comma.  `register` has click use these.
"""

from __future__ import annotations

from typing import Any

from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
)


class Bash(BashComplete):
    """Bash, whose words of `--target=arm` are `--target`, `=` and `arm`."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """Give the words before the cursor's, and that one, each option before its value."""
        words, word = super().get_completion_args()
        return [each for each in words if each != "="], word


class _WholeWord(ShellComplete):
    def get_completions(
        self, args: list[str], incomplete: str
    ) -> list[CompletionItem[Any]]:
        """Give what the word may become, with the option that it begins with."""
        items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        if equals and option.startswith("--"):
            for item in items:
                item.value = f"{option}={item.value}"
        return items


class Zsh(_WholeWord, ZshComplete):
    """Zsh, which has `--target=arm` as one word."""


class Fish(_WholeWord, FishComplete):
    """Fish, which has `--target=arm` as one word, and shows help beside what it offers."""

    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


def register() -> None:
    """Have click use these in place of its own."""
    for shell in (Bash, Zsh, Fish):
        add_completion_class(shell)

"""Words that several messages are made of: counted nouns, names, text fit for a terminal.

Takes numbers and text of any origin; gives text for whoever writes a line that people read.
"""

from __future__ import annotations


def count(number: int, noun: str, plural: str = "") -> str:
    """Give a number with its noun: `1 byte`, `3 bytes`; `plural` where an s does not do."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def edition(number: int, release: str) -> str:
    """Give the name of an interface among all: `7`, or `7_4_15` of one that is not the newest 7.

    It can be part of an identifier, and of a file's name.
    """
    return f"{number}_{release.replace('.', '_')}" if release else str(number)


def camel(name: str) -> str:
    """Give a class's name: `vm_event` is VmEvent; a word of both cases keeps its own: GRegex."""
    words = (word for word in name.split("_") if word)
    return "".join(
        (
            word.capitalize()
            if word.islower() or word.isupper()
            else word[0].upper() + word[1:]
        )
        for word in words
    )


def printable(text: str) -> str:
    """Give the text with a mark in place of each character that a terminal would obey."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in "\t\n" else "\N{REPLACEMENT CHARACTER}"
        for char in text
    )


def one_line(text: str) -> str:
    """Give the text with such a mark for what ends a line, too."""
    return "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text
    )

"""`spec`: print what a spec may say."""

from __future__ import annotations

import click

from xenbind.spec import reference


@click.command()
def spec() -> None:
    """List the keys that a spec may have.

    Each has its type, its meaning and an example.
    """
    click.echo(reference.text(), nl=False)

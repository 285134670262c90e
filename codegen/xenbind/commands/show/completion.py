"""What the Tab key offers to `show`: versions or a tree's headers, and names that one declares.

Takes what click hands to `shell_complete`; `find` knows the names.  Where no interface is
stored, a header is read for them, which takes a third of a second.
"""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from xenbind import completion
from xenbind.commands.show.find import beginning
from xenbind.ir.interface import Interface
from xenbind.options import (
    job_of,
    load_spec,
    load_tree,
    may_be_version,
    named_header,
    named_interface,
    newest,
)
from xenbind.spec.tree import header_specs


@completion.quiet
def versions_and_names(
    ctx: click.Context, param: click.Parameter, word: str
) -> list[CompletionItem]:
    """Offer versions, and the names of the newest one; with --tree its headers."""
    if tree := ctx.params.get("tree"):
        headers = (
            each.header
            for each in header_specs(load_tree(tree, ctx.params.get("spec")))
        )
        return [CompletionItem(name) for name in headers if name.startswith(word)]
    found = completion.versions(ctx, param, word)
    if may_be_version(word) or "/" in word:
        return found
    offered = _names(ctx, None, word)
    return [item for item in found if item.type == "plain" or not offered] + offered


@completion.quiet
def names(
    ctx: click.Context, param: click.Parameter, word: str
) -> list[CompletionItem]:
    """Offer the names of the version that was named before."""
    return _names(ctx, ctx.params["version"], word)


def _names(ctx: click.Context, version: str | None, word: str) -> list[CompletionItem]:
    interface = _interface(ctx, version)
    return [CompletionItem(name) for name in beginning(interface, word)]


def _interface(ctx: click.Context, version: str | None) -> Interface:
    spec, cc = ctx.params.get("spec"), ctx.params.get("cc")
    if tree := ctx.params.get("tree"):
        return named_header(tree, spec, version or "", cc)
    job = job_of(spec, cc=cc)
    loaded = load_spec(job.spec)
    return named_interface(job, loaded, version or newest(loaded, job))

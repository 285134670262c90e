"""What the Tab key offers to `show`: versions, and the names that one of them declares.

Takes what click hands to `shell_complete`; `find` knows the names.  Where no interface is
stored, a header is read for them, which takes a third of a second.
"""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from xenbind import completion
from xenbind.commands.show.find import beginning
from xenbind.options import job_of, load_spec, may_be_version, named_interface, newest


@completion.quiet
def versions_and_names(
    ctx: click.Context, param: click.Parameter, word: str
) -> list[CompletionItem]:
    """Offer versions, and the names of the newest one."""
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
    job = job_of(ctx.params.get("spec"), cc=ctx.params.get("cc"))
    spec = load_spec(job.spec)
    interface = named_interface(job, spec, version or newest(spec, job))
    return [CompletionItem(name) for name in beginning(interface, word)]

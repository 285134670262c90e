"""What the Tab key offers to `decode`: reasons of events, and types of records.

Takes what click hands to `shell_complete`; both are those of the spec's newest version.
"""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

from xenbind import completion
from xenbind.ir.interface import Interface
from xenbind.options import job_of, load_spec, named_interface, newest


@completion.quiet
def reasons(
    ctx: click.Context, param: click.Parameter, word: str
) -> list[CompletionItem]:
    """Offer the reasons of requests, in either case."""
    interface = _newest(ctx)
    fields = (field for record in interface.records for field in record.fields)
    prefixes = {f.hint for f in fields if f.name == "reason" and f.hint}
    names = (
        constant.name.removeprefix(prefix)
        for prefix in prefixes
        for constant in interface.constants
        if constant.name.startswith(prefix)
    )
    return _beginning((n.lower() if word.islower() else n for n in names), word)


@completion.quiet
def records(
    ctx: click.Context, param: click.Parameter, word: str
) -> list[CompletionItem]:
    """Offer the structs and unions that have a name."""
    return _beginning((record.path for record in _newest(ctx).records), word)


def _newest(ctx: click.Context) -> Interface:
    job = job_of(ctx.params.get("spec"), cc=ctx.params.get("cc"))
    spec = load_spec(job.spec)
    return named_interface(job, spec, newest(spec, job))


def _beginning(names: Iterable[str], word: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in names if name.startswith(word)]

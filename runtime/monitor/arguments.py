"""What a monitor is told to do: whether it can be, before anything is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import index
from os import PathLike
from types import ModuleType
from typing import Any, SupportsIndex

from .answers import Handler
from .events import EVENTS
from .recording import Recording
from .xen import Xen

_ALL_FLAGS = 0xFFFF_FFFF  # as many as an answer has bits for


def event_names(events: Iterable[Any]) -> tuple[str, ...]:
    """Give the events' names; raises TypeError for what is no list of these."""
    if isinstance(events, str):
        raise TypeError(f"the events are a list: write [{events!r}]")
    try:
        names = tuple(events)
    except TypeError:
        raise TypeError(
            f"{events!r} is no list of events: write names, as in [{EVENTS[0]!r}]"
        ) from None
    for name in names:
        if not isinstance(name, str):
            raise TypeError(
                f"{name!r} is no event: write its name, as in {EVENTS[0]!r}"
            )
    return names


def named_handlers(handlers: Mapping[Any, Any] | None) -> Mapping[str, Handler]:
    """Give handlers by their reason's name; raises TypeError for what are none."""
    if handlers is None:
        return {}
    if not hasattr(handlers, "items"):
        raise TypeError(
            f"{handlers!r} are no handlers: write them by name, as in {{'CPUID': handler}}"
        )
    named: dict[str, str] = {}
    for reason, handler in handlers.items():
        if not isinstance(reason, str):
            raise TypeError(
                f"{reason!r} is no reason's name: write handlers as in {{'CPUID': handler}}"
            )
        if not callable(handler):
            raise TypeError(f"the handler of {reason} is {handler!r}: write a function")
        other = named.setdefault(reason.upper(), reason)
        if other != reason:
            raise TypeError(
                f"{other!r} and {reason!r} are one reason: write one handler"
            )
    return handlers


def require_xen(xen: object) -> None:
    """Raise TypeError for what is no hypervisor that monitors can share."""
    if xen is not None and not isinstance(xen, Xen):
        raise TypeError(f"xen={xen!r} is none: make one by Xen(), or leave it out")


def require_idle(idle: object) -> None:
    """Raise TypeError for what cannot be called when the guest does nothing."""
    if idle is not None and not callable(idle):
        raise TypeError(f"idle={idle!r} cannot be called: write a function")


def require_recording(recording: object) -> None:
    """Raise TypeError for what is neither a recording nor the path of one."""
    if recording is not None and not isinstance(recording, str | PathLike | Recording):
        raise TypeError(
            f"recording={recording!r} is no path of a file; of one that is open, make a"
            " Recording"
        )


@cache
def _known_flags(vm_event: ModuleType) -> int:
    return sum(vm_event.VmEventFlag)


def known_flags(
    vm_event: ModuleType, flags: SupportsIndex, whose: Callable[..., str], *of: Any
) -> int:
    """Give an answer's flags, as `flags_given` does, of those that a version has.

    Raises ValueError for another one.
    """
    number = flags_given(flags, whose, *of)
    if unknown := number & ~_known_flags(vm_event):
        names = ", ".join(vm_event.VmEventFlag.__members__)
        raise ValueError(
            f"{whose(*of)} {unknown:#x}: no flag of vm_event version"
            f" {vm_event.VM_EVENT_INTERFACE_VERSION}, which has {names}"
        )
    return number


def flags_given(flags: SupportsIndex, whose: Callable[..., str], *of: Any) -> int:
    """Give an answer's flags; raises TypeError or ValueError for what none can have.

    `whose` is called with the rest for the error's words, and for these alone.
    """
    try:
        number = index(flags)
        if 0 <= number <= _ALL_FLAGS:
            return number
        kind: type[Exception] = ValueError
    except TypeError:
        kind = TypeError
    raise kind(
        f"{whose(*of)} {flags!r}: flags are a number of 32 bits, such as a VmEventFlag"
    )

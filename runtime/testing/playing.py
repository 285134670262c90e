"""Have the package find a Xen that is played where it looks for the one that runs."""

from __future__ import annotations

import ctypes
import tempfile
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from io import FileIO
from itertools import chain
from pathlib import Path
from typing import Any, Concatenate, ParamSpec
from unittest.mock import patch

from .. import xenctrl
from ..monitor import channel, loop
from ..runtime import hypervisor
from ..runtime import library as loading
from ..runtime.ring import SharedRing
from .findings import MonitorMistakes
from .libraries import RELEASES, STABLE
from .ring import Words
from .roles import X86_64
from .xen import PlayedXen

# pyright: reportPrivateUsage=false

_LOOKING_AFTER = 50  # milliseconds, after which a monitor looks for its guest


class _Ctypes:
    """The module as the package's loader sees it: its libraries are those played."""

    def __init__(self, xen: PlayedXen) -> None:
        self.CDLL = xen.load

    def __getattr__(self, name: str) -> Any:
        return getattr(ctypes, name)


class _Unbroken:
    """Stands for a monitor's `Silence`, of which no thread tells: nobody sleeps."""

    port = bytearray(b"none")
    is_awaited = False

    def __init__(self, *_: object) -> None:
        pass

    def watch(self, *_: object) -> None:
        """Do nothing."""


@contextmanager
def played(
    release: str = RELEASES[-1],
    architecture: str = X86_64,
    strict: bool = True,
    vcpus: int = 2,
) -> Generator[PlayedXen]:
    """Have the Xen of a release run here, within this context, with guests of so many `vcpus`.

    Raises UnknownVersion or ValueError where there is no such Xen, and RuntimeError while another
    one is played, which would be the same monitors'.  Raises MonitorMistakes on leaving it for
    what monitors did that a real Xen punishes, if this is `strict`; `findings` has it anyway.
    """
    if isinstance(vars(loading)["ctypes"], _Ctypes):
        raise RuntimeError("a Xen is being played; there is one at a time")
    xen = PlayedXen(release, architecture, vcpus)
    with ExitStack() as undo:
        undo.callback(xen.close)
        _put_in_place(xen, undo)
        try:
            yield xen
        except BaseException as error:
            if strict and xen.findings:
                error.add_note(f"the monitor's mistakes:\n{xen.findings}")
            raise
        xen.finish()
    if strict and xen.findings:
        raise MonitorMistakes(xen.findings)


# What `played` takes, so that it stands in one place.
_Given = ParamSpec("_Given")


def _started(
    begin: Callable[_Given, AbstractContextManager[PlayedXen]],
) -> Callable[Concatenate[PlayXen, _Given], PlayedXen]:
    """Make a method of what begins a context, with the same parameters."""

    def start(
        own: PlayXen, /, *given: _Given.args, **named: _Given.kwargs
    ) -> PlayedXen:
        return own.stack.enter_context(begin(*given, **named))

    return start


class PlayXen:
    """What starts the Xen of a release for one test, and takes what `played` takes.

    That of the fixture `play_xen` ends with the test, another one with its `stack`.
    """

    def __init__(self, stack: ExitStack) -> None:
        self.stack = stack

    __call__ = _started(played)


def _put_in_place(xen: PlayedXen, undo: ExitStack) -> None:
    """Have it in the place of the real one, until all is undone."""
    folder = Path(undo.enter_context(tempfile.TemporaryDirectory()))
    for part, number in zip(("major", "minor"), xen.release.split("."), strict=True):
        (folder / part).write_text(f"{number}\n")

    polling, sleeping = channel.polling, channel.sleeping
    fileno = channel.Channel.fileno
    shared: Any = SharedRing
    begin = shared.__init__

    def polling_guest(number: int) -> Callable[[int], list[tuple[int, int]]]:
        poll = polling(number)

        def proceeds(milliseconds: int) -> list[tuple[int, int]]:
            came = poll(0)  # nobody sleeps
            if came:
                return came
            if milliseconds:
                xen.proceed(number)
            else:  # somebody looks from time to time, and sleeps elsewhere
                xen.run_for_others(number)
            return poll(0)

        return proceeds

    def sleeping_guest(device: FileIO, came: bytearray) -> Callable[[], int | None]:
        poll, read = polling_guest(device.fileno()), sleeping(device, came)

        def proceeds() -> int | None:
            if poll(1):
                return read()
            came[:] = _Unbroken.port
            return len(came)

        return proceeds

    def begun(own: channel.Channel) -> int:
        """Have the guest run, since somebody is about to wait for it elsewhere."""
        number = fileno(own)
        xen.run_for_others(number)
        return number

    def watched(own: Any, *given: Any) -> None:
        begin(own, *given)
        for ring in chain.from_iterable(each.rings for each in xen.guests.values()):
            if ring.address == own.address and ring.is_watched:
                ring.attached += 1
                own.words = Words(own.words, ring)
                break

    places: list[tuple[Any, str, Any]] = [
        (hypervisor, "VERSION", str(folder)),
        (loading, "ctypes", _Ctypes(xen)),
        (channel, "ioctl", xen.ioctl),
        (channel, "unmap", xen.unmap),
        (channel, "polling", polling_guest),
        (channel, "sleeping", sleeping_guest),
        (channel, "Silence", _Unbroken),
        (channel.Channel, "fileno", begun),
        (loop, "_LOOKING_AFTER", _LOOKING_AFTER),
        (SharedRing, "__init__", watched),
    ]
    for module in (xenctrl.interface_for_xen(xen.release), *STABLE.values()):
        places += [(module.library, "_loaded", None), (module.library, "_prepared", {})]
    for place, name, value in places:
        undo.enter_context(patch.object(place, name, value))

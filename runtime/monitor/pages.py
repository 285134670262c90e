"""What a guest may do with pages of its memory, and how it goes on from what it may not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from operator import index
from typing import Any, Literal, NamedTuple, SupportsIndex, cast

from .emulating import Emulated
from .events import Events
from .guest import Guest, MonitorError
from .stepping import Stepping

Then = Literal["lift", "emulate", "step", "fast_step", "leave"]
"""How a vCPU goes on from an access that it may not have:

- `lift`: the page is restricted no more; of each page the first access is reported.  The only
  one on Arm.
- `emulate`: Xen carries the instruction out.  It does not know all of them: those raise a #UD
  in the guest, or are reported if `emul_unimplemented` is among the events, and then stepped
  over.  So are those that use what a breakpoint of the monitor's hides, without that.
- `step`: the vCPU carries the instruction out by itself, one step, while the page is not
  restricted, for other vCPUs neither; in an altp2m view, through the guest's own memory, and
  for itself alone.
- `fast_step`: in a view: the same without a second event, from Xen 4.19 on; what Xen has to be
  told for it is written over the request's payload, before a handler has that.  Xen 4.14 to 4.18
  cannot end such a step in time: there it is a `step`.
- `leave`: in a view: the vCPU goes on in the guest's own memory.

None leaves it to a handler, without which the vCPU comes back for ever.
"""

_WRITE_ONLY = (2, 6)  # XENMEM_access_w and _wx, which x86's EPT cannot tell

Gfns = SupportsIndex | Iterable[SupportsIndex]
"""A page by its guest frame number, or pages: a range, or any other iterable of numbers."""


class Restriction(NamedTuple):
    """What may be done with a page, a XENMEM_access, and how a vCPU goes on from other."""

    access: int
    then: str | None  # Then


def access_number(guest: Guest, access: str) -> int:
    """Read an access: `r-x`, as `ls` has it, or one of Xen's own names, such as `rx2rw`.

    Raises MonitorError for one that there is not, TypeError for what is none.
    """
    names = guest.xen.module.XenmemAccess.__members__
    # Of a user's program nothing checks the types.
    if not isinstance(access, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise TypeError(f"{access!r} is no access: write such as 'r-x'")
    if len(access) == 3 and all(
        has in (kind, "-") for has, kind in zip(access, "rwx", strict=True)
    ):
        return sum(1 << bit for bit, has in enumerate(access) if has != "-")
    if access in names:
        return int(names[access])
    raise MonitorError(
        f"no access '{access}'; write such as r-x, or {', '.join(names)}"
    )


def listed(guest: Guest, gfns: Gfns) -> Sequence[int]:
    """Give a guest's pages as a sequence; a range stays one, since it takes one call.

    Raises MonitorError for those that it cannot have, TypeError for what is no number.
    """
    with suppress(
        TypeError
    ):  # whose kind does not tell: arrays of numpy's have an __index__
        gfns = [index(cast(SupportsIndex, gfns))]
    gfns = cast(Iterable[SupportsIndex], gfns)
    if isinstance(gfns, range):
        if gfns:
            guest.require_pages(min(gfns[0], gfns[-1]), max(gfns[0], gfns[-1]))
        return gfns if gfns.step == 1 else list(gfns)
    found: list[int] = []
    for each in gfns:  # which need not end by itself
        gfn = _number(each)
        guest.require_pages(gfn, gfn)
        found.append(gfn)
    return found


def _number(gfn: SupportsIndex) -> int:
    try:
        return index(gfn)
    except TypeError:
        raise TypeError(
            f"{gfn!r} is no page: give a guest frame number, a range or a list of them"
        ) from None


class Pages(ABC):
    """The pages of one view of a guest's memory, and the restrictions of some or all.

    A vCPU that may not do with a page what it does is reported as MEM_ACCESS.
    """

    _WAYS: tuple[Then, ...]

    def __init__(
        self, guest: Guest, events: Events, stepping: Stepping, emulated: Emulated
    ) -> None:
        self._guest, self._events, self._stepping = guest, events, stepping
        self._emulated = emulated
        self._free = access_number(guest, "rwx")
        self._own: dict[int, Restriction] = {}
        self._everywhere: Restriction | None = None  # on all that are none of these
        self._passed: Counter[int] = Counter()  # vCPUs that are at a step over a page

    @abstractmethod
    def _set(self, access: int, gfns: Sequence[int]) -> None:
        """Have Xen report other accesses than these."""

    def restrict(
        self, gfns: Gfns, access: str = "---", then: Then | None = "lift"
    ) -> None:
        """Let a guest do no more than this with a page, or pages: `restrict(0x40400, "r-x")`.

        Raises MonitorError for an access or a way on that there is not here, or a page that
        the guest cannot have; OSError where Xen refuses.
        """
        restriction = self._restriction(access, then)
        self._restrict(listed(self._guest, gfns), restriction)

    def _restrict(self, gfns: Sequence[int], restriction: Restriction) -> None:
        if gfns:
            self._own.update(dict.fromkeys(gfns, restriction))
            self._set(restriction.access, gfns)

    def restrict_all(self, access: str, then: Then | None = "lift") -> None:
        """Let a guest do no more than this with any page, also with those that it gets later.

        What was said of single pages before is no more.
        """
        self._restrict_all(self._restriction(access, then))

    def _restrict_all(self, restriction: Restriction) -> None:
        self._own.clear()
        self._everywhere = restriction
        self._set_everywhere(restriction.access)

    @abstractmethod
    def _set_everywhere(self, access: int) -> None:
        """The same for all pages, and those that are to come."""

    def lift(self, gfns: Gfns) -> None:
        """Let the guest do anything with a page, or pages."""
        self._lift(listed(self._guest, gfns))

    def _lift(self, pages: Sequence[int]) -> None:
        if not pages:
            return
        for gfn in pages:
            self._own.pop(gfn, None)
            if self._everywhere is not None:
                self._own[gfn] = Restriction(self._free, None)
        self._set(self._free, pages)

    def _restriction(self, access: str, then: str | None) -> Restriction:
        if then is not None and then not in self._WAYS:
            raise MonitorError(
                f"no way on '{then}'; name one of {', '.join(self._WAYS)}"
            )
        if then == "emulate" and self._guest.is_arm:
            raise MonitorError(
                "emulate: Xen emulates nothing on Arm; lift is what it has"
            )
        if then in ("step", "fast_step"):
            self._events.require("SINGLESTEP")
        if then == "fast_step":
            self._guest.flag("FAST_SINGLESTEP")
        number = access_number(self._guest, access)
        if number in _WRITE_ONLY and not self._guest.is_arm:
            raise MonitorError(
                f"'{access}': the CPU has no page that may be written and not read; it would"
                " end the guest"
            )
        return Restriction(number, then)

    def _seen_at(self, gfn: int) -> int:
        """Tell which of the guest's pages a vCPU sees in a page's place."""
        return gfn

    # --- answers --------------------------------------------------------------------

    def answer(self, request: Any) -> int:
        """Have a vCPU go on as the page's restriction has it; gives the flags."""
        gfn = request.payload.gfn
        found = self._own.get(gfn, self._everywhere)
        if found is None:  # lifted meanwhile, or another monitor's
            self._set(self._free, [gfn])
        elif found.then == "lift":
            self._lift([gfn])
        elif found.then == "step":
            flags = self._emulated.uncover(request, gfn) or 0
            return flags | self._step_over(request, gfn)
        else:  # a handler, too, may have Xen carry it out
            self._emulated.note(request, lambda later: self._step_over(later, gfn))
            if found.then == "emulate":
                uncovered = self._emulated.uncover(request, self._seen_at(gfn))
                if uncovered is not None:
                    return uncovered | Pages._step_over(self, request, gfn)
                return self._guest.flag("EMULATE")
        return 0

    def _step_over(self, request: Any, gfn: int) -> int:
        """Have a vCPU carry out one instruction by itself; gives the flags."""
        # Also if another vCPU is over it: it may have been restricted again since.
        self._set(self._free, [gfn])

        def back(_: Any) -> int:
            self._passed[gfn] -= 1
            found = self._own.get(gfn, self._everywhere)
            if not self._passed[gfn] and found is not None:
                self._set(found.access, [gfn])
            return 0

        flags = self._stepping.over(request, back)
        self._passed[gfn] += 1
        return flags

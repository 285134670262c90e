"""Which events a monitor has had switched on, and how."""

from __future__ import annotations

from typing import NamedTuple


class How(NamedTuple):
    """How events of one kind are reported: whether vCPUs wait, and which writes are told."""

    waits: bool = True
    only_changes: bool = False
    ignored_bits: int = 0


# A reason, and the register of one that has some.
Kind = tuple[str, object]


class Switches:
    """What is on; `left` was when the ring was given up, and `late` was switched off after."""

    def __init__(self) -> None:
        self._on: dict[Kind, How] = {}
        self._left: dict[Kind, None] = {}
        self._late: dict[Kind, None] = {}

    def switch(
        self, reason: str, on: bool, how: How | None = None, which: object = None
    ) -> bool:
        """Have events reported, or not any more; tells whether that is new."""
        kind = reason, which
        is_new = on != (kind in self._on)
        if on:
            self._on[kind] = how or How()
        else:
            self._on.pop(kind, None)
            if kind in self._left:
                del self._left[kind]
                self._late[kind] = None
        return is_new

    def _how(self, reason: str, which: object) -> How | None:
        found = self._on.get((reason, which))
        return found or (self._on.get((reason, None)) if which is not None else None)

    def is_on(self, reason: str, which: object, changed: int | None = 0) -> bool:
        """Tell whether an event is reported, whose write changes these bits, or none."""
        how = self._how(reason, which)
        if how is None:
            return False
        if how.only_changes and changed is None:
            return False
        return not (changed or 0) & how.ignored_bits

    def is_synchronous(self, reason: str, which: object) -> bool:
        """Tell whether vCPUs wait for the answers."""
        how = self._how(reason, which)
        return how is None or how.waits

    def give_up(self, is_arm: bool) -> None:
        """Switch everything off with the ring, but for what Xen leaves on, on Arm."""
        self._left.update(dict.fromkeys(self._on))
        kept = {kind: how for kind, how in self._on.items() if is_arm}
        self._on = {k: how for k, how in kept.items() if k[0] == "PRIVILEGED_CALL"}

    def abandon(self, is_arm: bool) -> None:
        """Switch everything off with the ring of a monitor that is gone."""
        self.give_up(is_arm)
        self._left.clear()
        self._late.clear()

    @property
    def left(self) -> list[str]:
        """Name what nobody has switched off."""
        return [
            _name(kind) for kind in (*self._left, *self._on) if kind not in self._late
        ]

    @property
    def late(self) -> list[str]:
        """Name what was switched off when the ring was given up already."""
        return [_name(kind) for kind in self._late]


def _name(kind: Kind) -> str:
    reason, which = kind
    return reason if which is None else f"{reason}:{which}"

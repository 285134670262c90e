"""Tell whether the macros of two ring.h do the same, however they are written.

Takes the operations that `protocol` made of each; runs both on the same rings, halves and
indices, and gives the first operation that does otherwise.  `ring_module` asks for it when
versions are to share one module.

A run is a trace: what is stored where, in which order, with which barriers in between, and
what is given back.  What the other side stores shows after each barrier, so that an operation
which does not look again is found out.  Nothing is compared but what the runs did.

    room = nr_ents - req_prod_pvt + rsp_cons;       nr_ents - (req_prod_pvt - rsp_cons)
    are the same;    room <= 1    and    room == 0    differ in a ring with room for one
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

from xenbind.backend.rings.model import Operation, Parameter, Role, Side
from xenbind.plain import Struct

_RUNS = 100  # of each operation
_U32 = 0xFFFF_FFFF
_U64 = 0xFFFF_FFFF_FFFF_FFFF


class Protocol(Struct, frozen=True):
    """The operations of a ring.h, and the names that they have for the page's words."""

    operations: Sequence[Operation]
    words: Mapping[str, int]


def difference(first: Protocol, second: Protocol) -> str:
    """Say in what the macros of two headers differ, nothing if they do the same."""
    if first == second:
        return ""
    if first.words != second.words:
        return "the shared page has its indices in other places"
    ours = {(one.side, one.name): one for one in first.operations}
    theirs = {(one.side, one.name): one for one in second.operations}
    for place, one in {**ours, **theirs}.items():
        if place not in ours or place not in theirs:
            return f"only one of them has {one.macro}"
        other = theirs[place]
        if [p.role for p in one.parameters] != [p.role for p in other.parameters]:
            return f"{one.macro} takes other arguments"
    actors = _Actor(first), _Actor(second)
    for place, one in ours.items():
        for run in range(_RUNS):
            mine, its = (actor.trace(*place, run) for actor in actors)
            if mine != its:
                return f"{one.macro} does otherwise: {_told(mine)}, and {_told(its)}"
    return ""


# What an operation did, step by step.
_Trace = list[tuple[Any, ...]]
# The operations as functions, by whose they are and their names.
_Calls = Mapping[tuple[Side, str], Callable[..., Any]]


def _told(trace: _Trace) -> str:
    return "; ".join(" ".join(map(str, step)) for step in trace) or "nothing"


class _Actor:
    """Runs the operations of one header."""

    def __init__(self, protocol: Protocol) -> None:
        self.operations = {(one.side, one.name): one for one in protocol.operations}
        self.names: dict[str, Any] = {
            "__builtins__": {"bytes": bytes, "bool": bool, "int": int},
            "U32": _U32,
            "U64": _U64,
            **protocol.words,
        }
        self.calls: _Calls = {
            place: _function(one, self.names) for place, one in self.operations.items()
        }
        self.names.update(
            {
                name: call
                for (side, name), call in self.calls.items()
                if side is Side.NONE
            }
        )

    def trace(self, side: Side, name: str, run: int) -> _Trace:
        """Run an operation once; the number of the run says on what ring."""
        ring = _Ring(self.calls, f"{side} {name} {run}")
        self.names["assign"] = lambda target, source: ring.told(f"{target} =", source)
        owner = [] if side is Side.NONE else [ring.things[side]]
        given = self.calls[side, name](
            *owner, *map(ring.argument, self.operations[side, name].parameters)
        )
        if given is not None:
            ring.told("gives", int(given) if isinstance(given, bool) else given)
        return ring.trace


def _function(operation: Operation, names: dict[str, Any]) -> Callable[..., Any]:
    """Make the function that an operation's lines are the body of."""
    own = [] if operation.side is Side.NONE else ["self"]
    parameters = ", ".join([*own, *(one.name for one in operation.parameters)])
    body = "\n".join(f"    {line}" for line in operation.lines)
    made: dict[str, Any] = {}
    # The lines were translated from the header: names and operators, checked one by one.
    exec(f"def operation({parameters}):\n{body}\n", names, made)
    function: Callable[..., Any] = made["operation"]
    return function


class _Ring:
    """A ring in some state, its two halves and its page, and the trace of what is done."""

    def __init__(self, calls: _Calls, state: str) -> None:
        self.calls = calls
        self.trace: _Trace = []
        self.barriers = 0
        self.things = {side: _Thing(self, side) for side in Side}
        self._state = state

    def number(self, *what: Any) -> int:
        """Give the number that something has in this state, whenever it is looked at.

        Most are near one another, as a ring's indices are, and some where they wrap.
        """
        random = Random(f"{self._state} {what}")
        return (
            random.choice((0, 0, 8, 1 << 31, _U32 - 3)) + random.randrange(12)
        ) & _U32

    def told(self, *step: Any) -> None:
        self.trace.append(step)

    def barrier(self, name: str) -> None:
        self.told(name)
        self.barriers += 1

    def argument(self, parameter: Parameter) -> Any:
        match parameter.role:
            case Role.PAGE:
                return self.things[Side.PAGE]
            case Role.RECORD:
                return "the record"
        return self.number("argument")


class _Thing:
    """A half or the page: its members have numbers, its operations and barriers are called."""

    def __init__(self, ring: _Ring, side: Side) -> None:
        vars(self).update(_ring=ring, _side=side)
        if side is Side.PAGE:
            vars(self).update(words=_Words(ring), octets=_Octets(ring), ring=_Entries())

    def __str__(self) -> str:
        return f"the {self._side}"

    def __getattr__(self, name: str) -> Any:
        ring: _Ring = self._ring
        if call := ring.calls.get((self._side, name)):
            return partial(call, self)
        if name == "sring":
            return ring.things[Side.PAGE]
        if name.startswith("xen_"):
            return partial(ring.barrier, name)
        number = ring.number(self._side, name)
        return number or 1 if name == "entry_size" else number

    def __setattr__(self, name: str, value: Any) -> None:
        self._ring.told(f"{self._side}.{name} =", str(value))
        vars(self)[name] = value


class _Words:
    """The 32-bit words of the page: what is not stored here the other side may change."""

    def __init__(self, ring: _Ring) -> None:
        self._ring = ring
        self._stored: dict[int, int] = {}

    def __getitem__(self, index: int) -> int:
        if index in self._stored:
            return self._stored[index]
        return self._ring.number("word", index, self._ring.barriers)

    def __setitem__(self, index: int, value: int) -> None:
        self._ring.told(f"words[{index}] =", value)
        self._stored[index] = value


class _Octets:
    """The page as bytes, which operations only fill."""

    def __init__(self, ring: _Ring) -> None:
        self._ring = ring

    def __setitem__(self, place: slice, value: bytes) -> None:
        self._ring.told(f"octets[{place.start}:{place.stop}] =", value.hex())


class _Entries:
    """The entries of the page, each known by its number."""

    def __getitem__(self, index: int) -> _Entry:
        return _Entry(f"entry {index}'s request", f"entry {index}'s response")


class _Entry(NamedTuple):
    req: str
    rsp: str

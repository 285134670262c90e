"""What type checkers know of members that are pointers, or of an enum's type."""

from ctypes import c_char_p, c_int, c_uint32
from typing import TYPE_CHECKING, assert_type

from graph import v0 as graph

if TYPE_CHECKING:
    from ctypes import _Pointer as Pointer


def add(a: int, b: int) -> int:
    return a + b


def visit(p: object, name: bytes | None, own: object, data: int | None) -> None: ...


def meet(
    colour: graph.Colour,
    own: "Pointer[graph.walk]",
    count: "Pointer[c_int]",
    names: "Pointer[c_char_p]",
    place: graph.place,
    holder: "Pointer[graph.holder]",
) -> graph.Colour:
    return colour


walk = graph.walk(add=add, visit=visit)
walk.add = None
walk.add = lambda a, b: a + b
meeting = graph.meeting(meet)
graph.graph_meet_once(meet, walk)
graph.graph_meet_once(visit, walk)  # mistake
meeting.meet = visit  # mistake
node = graph.node(name="a", colour=5, where=graph.point(), next=None)
assert_type(node.where.contents.x, int)
assert_type(node.next.contents.next, "Pointer[graph.node]")
assert_type(node.colour, graph.Colour)
node.name = b"a"
node.data = bytearray(3)
node.data = node
node.counts = c_uint32(4)
node.counts = (c_uint32 * 2)()
node.next = node
node.colour = graph.Colour.RED
node.where = node  # mistake
node.next = graph.point()  # mistake
walk.add = visit  # mistake
walk.add = "add"  # mistake
node.counts = [1]  # mistake
node.colour = "red"  # mistake
node.data = 0.5  # mistake

"""What a user does with a package, on the standard library alone: run by any CPython.

PYTHONPATH=PACKAGE python -W error session.py
"""

from __future__ import annotations

import copy
import ctypes
import gc
import pickle

from xen_session import projection, records
from xen_session import v0 as session


def asked(sector: int) -> session.question:
    """A request whose members all follow from its sector."""
    question = session.question(
        command=session.Command.WRITE, sector=sector, name=b"disk%d" % (sector % 10)
    )
    question.mode = session.Mode.SYNC | session.Mode.URGENT
    for span in question.spans:
        span.first, span.count = sector % 32, sector % 2048
        span.delta, span.wide = -(sector % 256), sector << 30
    return question


def packed_records() -> None:
    """Members that no alignment holds are where C has them, and keep to their bits."""
    assert ctypes.sizeof(session.question) == 1 + 8 + 7 + 2 * 9 + 2
    assert ctypes.sizeof(session.either) == 10
    question = asked(300)
    assert bytes(question)[:16] == b"\2" + (300).to_bytes(8, "little") + b"disk0\0\0"
    bits = 300 % 32 | 300 << 5 | (-44 % 512) << 16 | (300 << 30) << 25
    assert bytes(question)[16:25] == bits.to_bytes(9, "little")
    assert bytes(question)[16:25] == bytes(question.spans[1])
    span = question.spans[0]
    assert (span.first, span.count, span.delta, span.wide) == (12, 300, -44, 300 << 30)
    span.delta = -256
    assert (span.count, span.delta, span.wide) == (300, -256, 300 << 30)
    span.wide = 0
    assert (span.delta, question.spans[1].wide) == (-256, 300 << 30)


def unions_and_switches() -> None:
    """Members at one place, bit-fields of bool and enum, characters."""
    either = session.either(number=0x6362_61)
    assert either.text == b"abc" + bytes(7)
    assert (either.low, either.high) == (0x61, 0x6362 << 8 >> 16)
    either.text = b"0123456789"
    assert either.number == int.from_bytes(b"01234567", "little")
    switches = session.switches(on=True, level=63, ratio=0.5)
    switches.command = session.Command.WRITE
    assert (switches.on, switches.ready, switches.level) == (True, False, 63)
    assert bytes(switches)[:2] == b"\xfd\2"
    switches.on = False
    assert (switches.on, switches.level, switches.ratio) == (False, 63, 0.5)


def pointers() -> None:
    """What a pointer in a packed record leads to lives as long as the record."""
    held = session.held(kind=1, switches=ctypes.pointer(session.switches(ratio=2.5)))
    gc.collect()
    [bytes(size) for size in range(256)]  # what was freed would be used again
    assert (held.kind, held.switches.contents.ratio) == (1, 2.5)
    assert not session.held().switches


def copies() -> None:
    """A copy is another record with the same bytes, and so is what pickle brings back."""
    for record in asked(77), session.switches(on=True, ratio=1.5), asked(1).spans[0]:
        for again in copy.copy(record), pickle.loads(pickle.dumps(record)):
            assert type(again) is type(record)
            assert bytes(again) == bytes(record) and repr(again) == repr(record)
    question = asked(77)
    kept = copy.deepcopy(question)
    question.spans[0].first = 0
    assert kept.spans[0].first == 77 % 32
    assert "name=b'disk7" in repr(kept)


def rings() -> None:
    """Requests and answers go round a page several times, whole and by chosen members."""
    page = bytearray(4096)
    with session.FrontRing(page) as front, session.BackRing(page, start=0) as back:
        back.sring.shared_ring_init()
        select = back.select("sector", "command", "mode")
        for turn in range(5):
            sectors = [turn * 100 + number for number in range(front.nr_ents)]
            for sector in sectors:
                front.send(asked(sector))
            assert front.push_requests_and_check_notify()
            if turn % 2:
                for sector, command, mode in select:
                    assert (command, mode) == (2, 3)
                    back.get_response(back.rsp_prod_pvt).id = sector
                    back.get_response(back.rsp_prod_pvt).status = -1
                    select.respond()
            else:
                for request in back.requests():
                    assert bytes(request) == bytes(asked(request.sector))
                    answer = session.answer(id=request.sector, status=-1)
                    back.respond(request, response=answer)
            assert back.push_responses_and_check_notify()
            answers = [(answer.id, answer.status) for answer in front.responses()]
            assert answers == [(sector, -1) for sector in sectors]


def recordings() -> None:
    """Records one after another, whole and by chosen members."""
    recorded = b"".join(bytes(asked(sector)) for sector in range(50))
    seen = [question.sector for question in records(session.question, recorded)]
    assert seen == list(range(50))
    pick = projection(session.question, "mode", "sector")
    assert pick(recorded, 7 * ctypes.sizeof(session.question)) == (3, 7)


def main() -> None:
    """Do it all; a line says that it was done."""
    for part in (
        packed_records,
        unions_and_switches,
        pointers,
        copies,
        rings,
        recordings,
    ):
        part()
    print("all as C has it")


if __name__ == "__main__":
    main()

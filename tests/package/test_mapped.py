"""Memory that a library has mapped: it is unmapped once, and not as long as it is used."""

from __future__ import annotations

import ctypes
from mmap import MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE
from typing import Any

import pytest
from xen_vm_event.runtime.mapped import Mapped

SIZE = 8192
C: Any = ctypes.CDLL(None, use_errno=True)
C.mmap.restype = ctypes.c_void_p
C.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
C.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class Library:
    """A library that maps memory, and counts how often it was unmapped."""

    def __init__(self) -> None:
        self.unmapped = 0
        protection = PROT_READ | PROT_WRITE
        self.address = C.mmap(
            None, SIZE, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0
        )

    def unmap(self) -> None:
        assert C.munmap(self.address, SIZE) == 0
        self.unmapped += 1

    def mapped(self) -> Mapped:
        return Mapped(self.address, SIZE, self.unmap)


@pytest.fixture
def library() -> Library:
    return Library()


def test_it_is_a_buffer_of_bytes_at_that_address(library: Library) -> None:
    with library.mapped() as octets:
        octets[-2:] = b"ab"
        assert (len(octets), octets.format, octets.readonly) == (SIZE, "B", False)
        assert ctypes.string_at(library.address + SIZE - 2, 2) == b"ab"
    assert library.unmapped == 1


def test_it_cannot_be_used_afterwards(library: Library) -> None:
    with library.mapped() as octets:
        pass
    with pytest.raises(ValueError, match="released memoryview"):
        octets[0]


def test_it_is_unmapped_once(library: Library) -> None:
    mapped = library.mapped()
    mapped.close()
    mapped.close()
    assert library.unmapped == 1


@pytest.mark.parametrize(
    "use",
    [
        lambda octets: octets[4096:],
        lambda octets: octets.cast("I"),
        lambda octets: ctypes.c_uint32.from_buffer(octets),
        lambda octets: (ctypes.c_char * 4).from_buffer(octets, 4),
    ],
    ids=["slice", "cast", "number", "array"],
)
def test_it_stays_mapped_while_it_is_used(library: Library, use: Any) -> None:
    mapped = library.mapped()
    used = use(mapped.octets)
    with pytest.raises(BufferError, match="detach what is on it first"):
        mapped.close()
    assert library.unmapped == 0
    memoryview(used).cast("B")[0] = 1
    del used
    mapped.close()
    assert library.unmapped == 1


def a_failure(octets: memoryview) -> None:
    part = octets[4096:]
    raise LookupError(len(part))


def test_an_error_is_raised_and_the_memory_unmapped(library: Library) -> None:
    """What the functions that it ended had of the memory is no use of it."""
    with pytest.raises(LookupError), library.mapped() as octets:
        a_failure(octets)
    assert library.unmapped == 1


def test_an_error_is_raised_where_the_memory_is_used(library: Library) -> None:
    with pytest.raises(LookupError), library.mapped() as octets:
        part = octets[4096:]
        raise LookupError
    assert library.unmapped == 0
    assert part[0] == 0

"""Hold memory that a library has mapped, such as pages that another domain granted.

    address = xengnttab_map_domain_grant_refs(handle, 4, domain, refs, PROT_READ | PROT_WRITE)
    with Mapped(address, 4 * 4096, lambda: xengnttab_unmap(handle, address, 4)) as octets:
        ring = FrontRing(octets)
        ...
        ring.detach()

To a library such memory is an address, and one that is used when it is not mapped any more
crashes the process. Here it is a buffer, which is not unmapped as long as anything uses it.
"""

from __future__ import annotations

import ctypes
import weakref
from contextlib import suppress

from .annotations import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
else:
    # What `typing.get_type_hints` needs, without importing what it takes.
    from .parameters import Callback as Callable

    TracebackType = object


class Mapped:
    """Memory of `size` bytes at an address, and what unmaps it: `octets` is a view of it."""

    __slots__ = ("_memory", "_unmap", "octets")

    def __init__(self, address: int, size: int, unmap: Callable[[], object]) -> None:
        memory = (ctypes.c_uint8 * size).from_address(address)
        self._memory = weakref.ref(memory)
        self._unmap: Callable[[], object] | None = unmap
        self.octets = memoryview(memory).cast("B")

    def close(self) -> None:
        """Unmap the memory; again it does nothing.

        Raises BufferError, as an mmap does, where a ring is not detached, or another view of
        it is still there, and what the function that unmaps it raises.
        """
        self.octets.release()
        # Each view keeps the array alive, and nothing else does.
        if self._memory() is not None:
            raise BufferError("the memory is in use: detach what is on it first")
        unmap, self._unmap = self._unmap, None
        if unmap is not None:
            unmap()

    def __enter__(self) -> memoryview:
        return self.octets

    def __exit__(
        self, kind: object, error: BaseException | None, place: TracebackType | None
    ) -> None:
        """Unmap the memory; where an error left a view of it somewhere, it stays mapped."""
        if error is None:
            self.close()
            return
        import traceback  # costs several times as much as all else here

        # The functions that the error has ended keep what they had, such as a view.
        traceback.clear_frames(place)
        with suppress(BufferError):  # would hide the error
            self.close()

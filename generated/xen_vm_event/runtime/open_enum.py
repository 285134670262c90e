"""Give enums values that they have no name for."""

from __future__ import annotations

import enum


class OpenEnum(enum.IntEnum):
    """An enum that keeps values it has no name for: a newer hypervisor may send them."""

    @classmethod
    def _missing_(cls, value: object) -> OpenEnum | None:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member

"""Plain data: classes that are their fields, defined and made in little time.

They are msgspec's structs; where there is no msgspec for a Python, as for the newest ones, they
are dataclasses, which take a tenth of a second more to be defined.  All other modules use it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from msgspec import Struct, field
    from msgspec.structs import asdict, fields, replace
else:
    try:
        from msgspec import Struct, field
        from msgspec.structs import asdict, fields, replace
    except ImportError:
        from dataclasses import asdict, dataclass, field, fields, replace

        class Struct:
            """A class that is its fields, with the options of msgspec's that are used."""

            def __init_subclass__(
                cls,
                frozen: bool = False,
                eq: bool = True,
                order: bool = False,
                dict: bool = False,  # noqa: A002
            ) -> None:
                dataclass(frozen=frozen, eq=eq, order=order)(cls)


__all__ = ["Struct", "asdict", "field", "fields", "replace"]

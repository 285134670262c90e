"""Tell which machine this is: modules of one architecture cannot be imported on others.

require("xen_public.arch_arm", "arm64", "armhf")  ->  ImportError on x86_64
was_read_for("xen_public.domctl", "x86_64")       ->  RuntimeWarning on arm64
"""

from __future__ import annotations

import platform
import sys
import warnings

# By what Linux calls machines: their names with words of 64 bits, and of 32.
_TARGETS = {
    "x86_64": ("x86_64", "i386"),
    "i686": ("", "i386"),
    "i386": ("", "i386"),
    "aarch64": ("arm64", "armhf"),
    "armv7l": ("", "armhf"),
    "armv8l": ("", "armhf"),
    "riscv64": ("riscv64", ""),
}


def here() -> str:
    """Name the target that this Python is for; empty for one that no header is for alone."""
    wide, narrow = _TARGETS.get(platform.machine(), ("", ""))
    return wide if sys.maxsize > 1 << 32 else narrow


def require(module: str, *targets: str) -> None:
    """Raise `ImportError` if a module is for other targets than this."""
    if here() not in targets:
        raise ImportError(
            f"{module} is for {' and '.join(targets)} alone, and this is"
            f" {here() or platform.machine()}",
            name=module,
        )


def was_read_for(module: str, target: str) -> None:
    """Warn if this is another target than the one that a module's header was read for.

    Such a header asks for its target's macros: what it declares may be something else here.
    """
    this = here() or platform.machine()
    if this != target:
        warnings.warn(
            f"{module} was generated for {target}, and this is {this}: its header asks for the"
            " target's macros, and may declare other things here; generate it here, or with --cc",
            RuntimeWarning,
            stacklevel=3,
        )

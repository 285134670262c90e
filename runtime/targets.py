"""Tell which machine this is: modules of one architecture cannot be imported on others.

require("xen_public.arch_arm", "arm64", "armhf")  ->  ImportError on x86_64
"""

from __future__ import annotations

import platform
import sys

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

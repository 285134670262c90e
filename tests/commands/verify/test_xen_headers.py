"""Each of Xen's public headers on its own, with a spec of a few lines: generated, imported
and held against C, by `xenbind verify` and by the tests that are generated with it.

With --exhaustive that is every installed header that defines a struct or union; else a
handful, without the generated tests.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support import INSTALLED, own_tests, require, xenbind

# What a header expects its user to have included; the C library is always there.
NEEDS = {
    "arch-x86/hvm/save.h": ["xen.h", "hvm/save.h"],
    "arch-x86/pmu.h": ["xen.h"],
    "arch-x86/xen-mca.h": ["xen.h"],
    "arch-x86/xen-x86_64.h": ["xen.h"],
    "arch-x86/xen.h": ["xen.h"],
    "evtchn.h": ["xen.h", "linux/ioctl.h"],
    "gntalloc.h": ["linux/ioctl.h"],
    "gntdev.h": ["grant_table.h", "linux/ioctl.h"],
    "sys/evtchn.h": ["xen.h", "linux/ioctl.h"],
    "sys/gntalloc.h": ["linux/ioctl.h"],
    "sys/gntdev.h": ["grant_table.h", "linux/ioctl.h"],
    "sys/privcmd.h": ["xen.h", "linux/ioctl.h"],
}
# What xen.h would define, but for the sake of another architecture.
_LONG = "xen_mk_ulong(number)=((unsigned long)(number))"
DEFINES = {
    "arch-arm.h": ["xen_mk_ullong(number)=((unsigned long long)(number))"],
    "arch-x86/xen-x86_32.h": [_LONG, "DEFINE_XEN_GUEST_HANDLE(name)="],
}
# Macros that are no constants, as a spec has to say.
SKIP = {
    "arch-x86/xen-x86_32.h": ["machine_to_phys_mapping"],
    "arch-x86/xen-x86_64.h": ["machine_to_phys_mapping"],
}

# The headers that cannot be read on their own, and what is said of them.
REFUSED = {
    "dom0_ops.h": '#error "dom0_ops.h is a compatibility interface only"',
    "privcmd.h": "xen/interface/xen.h: No such file or directory",
}
# What is no constant is told as that; whatever else is said of these headers is a fault.
NOTE = re.compile(
    rf"{INSTALLED}/[\w/-]+\.h:\d+:\d+: note: \w+ is left out: "
    r"(it is a type|it is not a constant expression|'\w+' is not a constant)"
)
HANDFUL = ["dom0_ops.h", "io/netif.h", "io/ring.h", "sysctl.h"]


def defines_records(header: Path) -> bool:
    text = header.read_text(encoding="utf-8", errors="replace")
    return re.search(r"\b(struct|union)\b[^;]*\{", text) is not None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "header" in metafunc.fixturenames:
        exhaustive = metafunc.config.getoption("--exhaustive")
        metafunc.parametrize("header", (exhaustive and headers()) or HANDFUL)


def headers() -> list[str]:
    found = [path for path in INSTALLED.rglob("*.h") if defines_records(path)]
    return sorted(path.relative_to(INSTALLED).as_posix() for path in found)


def spec(folder: Path, header: str) -> Path:
    """A spec for one header; its package is named after it."""
    name = re.sub(r"\W", "_", header.removesuffix(".h"))
    needs = ["stdint.h", "stddef.h", "string.h", *NEEDS.get(header, [])]
    path = folder / "spec.toml"
    path.write_text(
        "[interface]\n"
        f'name = "{name}"\n'
        f'package = "xen_{name}"\n'
        f'header = "{header}"\n'
        f"defines = {['__XEN_TOOLS__', *DEFINES.get(header, [])]}\n"
        f"needs = {needs}\n"
        f"skip = {SKIP.get(header, [])}\n"
    )
    return path


def test_header_by_itself(header: str, exhaustive: bool, tmp_path: Path) -> None:
    require((INSTALLED / header).is_file(), f"/usr/include/xen/{header} of libxen-dev")
    out = tmp_path / "out"
    arguments: list[str | Path] = ["--spec", spec(tmp_path, header)]
    arguments += ["--include", INSTALLED, "--out", out]

    made = xenbind("generate", *arguments)
    if header in REFUSED:
        assert made.returncode == 1
        assert re.match(rf"{INSTALLED}/{header}:\d+:\d+: error: ", made.stderr)
        assert made.stderr.splitlines()[0].endswith(REFUSED[header])
        assert not out.exists()
        return
    assert made.returncode == 0, made.stderr
    assert all(map(NOTE.fullmatch, made.stderr.splitlines())), made.stderr

    held = xenbind("verify", *arguments)
    assert (held.returncode, held.stderr) == (0, "")
    found = re.search(r"(\d+) facts held against .*, 0 mismatches", held.stdout)
    assert found and int(found[1]) > 0

    if not exhaustive:
        return
    tested = own_tests(out)
    assert tested.returncode == 0, tested.stdout

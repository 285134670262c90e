"""Make what a machine boots: Xen, a Linux kernel for dom0, and its initrd, which is all of dom0.

Takes Debian's package files and the files that a run adds; machine.py boots the result.
What comes of the packages alone is kept in a folder of the caller's, since it takes longer.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from packages import empty_root, unpack

# Drivers of Debian's kernel through which the tools reach Xen.
MODULES = ("xen-privcmd", "xen-evtchn", "xen-gntdev", "xen-gntalloc", "xenfs")

# Half of what the packages install, and nothing that dom0 needs here.
_UNUSED = ("boot", "usr/lib/modules", "usr/lib/udev", "usr/lib/klibc", "usr/share")


@dataclass(frozen=True)
class Image:
    """The files that QEMU is given."""

    xen: Path
    kernel: Path
    initrd: Path


def build(packages: list[Path], added: dict[str, Path], cache: Path, to: Path) -> Image:
    """An image of these packages, whose initrd also has the `added` files by their path."""
    names = "\n".join(package.name for package in packages)
    base = cache / hashlib.sha256(names.encode()).hexdigest()[:16]
    if not base.exists():
        for old in base.parent.glob("[0-9a-f]" * 16):
            shutil.rmtree(old)
        _build_base(packages, base)
    with tempfile.TemporaryDirectory() as folder:
        for name, source in added.items():
            place = Path(folder, name)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)
        # The kernel unpacks one archive after the other.
        initrd = to / "initrd"
        initrd.write_bytes((base / "initrd").read_bytes() + _archive(Path(folder)))
    return Image(base / "xen", base / "kernel", initrd)


def _build_base(packages: list[Path], base: Path) -> None:
    with tempfile.TemporaryDirectory(dir=base.parent) as folder:
        root, done = Path(folder, "root"), Path(folder, "done")
        root.mkdir()
        done.mkdir()
        empty_root(root)
        for package in packages:
            unpack(package, root)
        [kernel] = (root / "boot").glob("vmlinuz-*")
        shutil.copy(kernel, done / "kernel")
        [xen] = [
            file
            for file in (root / "boot").glob("xen-*")
            if file.suffix not in (".config", ".efi")
        ]
        octets = xen.read_bytes()
        (done / "xen").write_bytes(
            gzip.decompress(octets) if xen.suffix == ".gz" else octets
        )
        (root / "modules").mkdir()
        for module in MODULES:
            [file] = (root / "lib/modules").rglob(f"{module}.ko*")
            shutil.copy(file, root / "modules")
        for name in _UNUSED:
            shutil.rmtree(root / name, ignore_errors=True)
        for name in ("dev", "proc", "sys", "tmp", "run"):
            (root / name).mkdir(exist_ok=True)
        (root / "var/run").symlink_to("/run")
        (done / "initrd").write_bytes(_archive(root))
        done.rename(base)


def _archive(root: Path) -> bytes:
    """All files under a folder, as the kernel unpacks them."""
    names = sorted(str(file.relative_to(root)) for file in root.rglob("*"))
    return subprocess.run(
        ["cpio", "--create", "--format=newc", "--owner=0:0", "--quiet"],
        cwd=root,
        input="\n".join(names).encode(),
        capture_output=True,
        check=True,
    ).stdout

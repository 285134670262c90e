"""Make for dom0 what examples/vchan.py and examples/domains.py need.

Takes an architecture and a suite of Debian's; gives the packages that xenbind makes of the
headers of that suite's Xen, and a program of libxenvchan's in C, which speaks to the first.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import packages
from support import PROJECT, xenbind

# Debian's names, with the compilers that read the headers for the machine.
_COMPILERS = {"amd64": "x86_64-linux-gnu-gcc", "arm64": "aarch64-linux-gnu-gcc"}
_LIBRARIES = ("xencall", "xenevtchn", "xengnttab", "xenstore")
_PEER = PROJECT / "tests/streams/peer.c"


def root(fetched: list[Path], arch: str, suite: str, folder: Path) -> Path:
    """Unpack the headers of dom0's Xen, and its libraries."""
    root = folder / "root"
    root.mkdir()
    packages.empty_root(root)
    headers = packages.fetch_alone(arch, ["libxen-dev"], suite)
    libraries = [file for file in fetched if file.name.startswith("libxen")]
    for package in headers + libraries:
        packages.unpack(package, root)
    return root


def generate(root: Path, arch: str, folder: Path) -> list[Path]:
    """The packages: of all public headers, of vchan's page, and of the libraries."""
    include, examples = root / "usr/include", PROJECT / "examples"
    made = {
        "xen_public": ("--tree", include / "xen"),
        "xen_vchan": ("--spec", examples / "vchan.toml", "--include", include / "xen"),
        **{
            name: ("--spec", examples / f"libraries/{name}.toml", "--include", include)
            for name in _LIBRARIES
        },
    }
    for name, options in made.items():
        out = folder / name
        cc = _COMPILERS[arch]
        result = xenbind("generate", *options, "--cc", cc, "--out", out)
        assert result.returncode == 0, result.stderr
    return [folder / name for name in made]


def peer(root: Path, arch: str, folder: Path) -> Path:
    """The program, linked against dom0's libraries."""
    program = folder / "peer"
    [libraries] = {file.parent for file in (root / "usr/lib").rglob("libxenvchan.so")}
    command = [_COMPILERS[arch], "-O2", f"-I{root}/usr/include", str(_PEER)]
    command += ["-o", str(program), f"-L{libraries}", "-lxenvchan"]
    # What these need themselves is in dom0 alone.
    command += ["-Wl,--unresolved-symbols=ignore-in-shared-libs"]
    subprocess.run(command, check=True)
    return program

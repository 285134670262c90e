"""The headers of Xen's libraries as C: clean to compile, and what Xen's own say, as far as they go.

Every prototype of libxenctrl is held against tests/data/xenctrl-prototypes.json, which has each
release's, and against the installed headers; structs and constants against these too. With
--exhaustive against those of Xen 4.14 and 4.20, as Debian has them.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import packages
import pytest
from support import PROJECT, require
from xen_vm_event import xenctrl
from xen_vm_event.runtime.library import Library
from xen_vm_event.runtime.parameters import functions
from xen_vm_event.xenevtchn import v1 as xenevtchn
from xen_vm_event.xenforeignmemory import v1 as xenforeignmemory
from xen_vm_event.xentoollog import v1 as xentoollog

TOOLS = PROJECT / "headers" / "tools"
HEADERS = sorted(TOOLS.glob("*/*.h"))
PROTOTYPES: dict[str, list[dict[str, Any]]] = json.loads(
    (PROJECT / "tests/data/xenctrl-prototypes.json").read_text()
)
RELEASES = [release for some in xenctrl.VERSIONS.values() for release in some]
# What xenctrl.h has no word of from Xen 4.9 on, but xenctrl_compat.h.
COMPATIBLE = "xc_hvm_inject_trap"
# What Xen's own headers want to hear before they tell that.
COMPILER = [
    *("gcc", "-std=gnu11", "-D__XEN_TOOLS__", "-DXC_WANT_COMPAT_DEVICEMODEL_API"),
    *("-Werror", "-Wno-attributes", "-x", "c", "-"),
]


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("header", HEADERS, ids=lambda h: f"{h.parent.name}-{h.stem}")
def test_compiles_without_a_warning(header: Path, compiler: str) -> None:
    require(shutil.which(compiler) is not None, compiler)
    strict = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only"]
    command = [compiler, "-std=c11", "-x", "c", *strict, str(header)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


def own(release: str) -> Path:
    """The header of a release."""
    module = xenctrl.interface_for_xen(release)
    [name] = re.findall(r"headers/(tools/\S+\.h)", str(module.__doc__))
    return PROJECT / "headers" / str(name)


def declared(header: Path) -> dict[str, str]:
    """The types of a header's functions, as it writes them."""
    text = re.sub(r"/\*.*?\*/|^#.*?$", "", header.read_text(), flags=re.S | re.M)
    found = re.findall(r"^(\w[\w ]*?[ *]+)(\w+)\(([^;{}]*)\);", text, re.M)
    return {name: f"{result} ({given})" for result, name, given in found}


def facts(release: str) -> dict[str, str]:
    return {
        name: each["prototype"]
        for name, said in PROTOTYPES.items()
        for each in said
        if release in each["releases"]
    }


def same_types(types: dict[str, str]) -> str:
    """C that compiles if functions are of these types."""
    return "\n".join(
        f"_Static_assert(__builtin_types_compatible_p(__typeof__({name}),"
        f' __typeof__({" ".join(written.split())})), "{name}");'
        for name, written in types.items()
    )


def refused(program: str, *options: str) -> str:
    """What the compiler says of a program, nothing if it compiles it."""
    command = [*COMPILER, *options, "-fsyntax-only"]
    return subprocess.run(
        command, input=program, capture_output=True, text=True, check=False
    ).stderr


@pytest.mark.parametrize("release", RELEASES)
def test_each_release_has_the_functions_that_it_had(release: str) -> None:
    told = facts(release)
    assert declared(own(release)).keys() == {*told, COMPATIBLE}
    assert refused(f'#include "{own(release)}"\n{same_types(told)}') == ""


@pytest.mark.parametrize("release", RELEASES)
def test_parameters_are_called_as_they_were(release: str) -> None:
    module = xenctrl.interface_for_xen(release)
    for name, prototype in facts(release).items():
        inside = prototype.partition("(")[2].removesuffix(")")
        told = [] if inside == "void" else re.findall(r"(\w+)(?:,|$)", inside)
        assert list(inspect.signature(getattr(module, name)).parameters) == told, name


def test_a_wrong_prototype_would_be_seen() -> None:
    program = f'#include "{own("4.9")}"\n{same_types(facts("4.10"))}'
    assert "xc_monitor_guest_request" in refused(program)


# --- held against Xen's own headers ---------------------------------------------------


@pytest.fixture(
    params=[
        ("4.17", ""),
        pytest.param(("4.14", "bullseye"), marks=pytest.mark.exhaustive),
        pytest.param(("4.20", "trixie"), marks=pytest.mark.exhaustive),
    ],
    ids=lambda param: f"Xen {param[0]}",
)
def installed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, list[str]]:
    """A release, and the options by which its own headers are found."""
    release, suite = request.param
    if not suite:
        header = Path("/usr/include/xenctrl.h")
        require(header.is_file(), "libxen-dev")
        [version] = re.findall(r"libxenctrl\.so\.(\d+\.\d+)", str(library_file()))
        require(version == release, f"libxen-dev of Xen {release}")
        return release, []
    for package in packages.fetch("amd64", ["libxen-dev"], suite):
        if package.name.startswith("libxen-dev"):
            packages.unpack(package, tmp_path)
    return release, ["-I", str(tmp_path / "usr" / "include")]


def library_file() -> Path:
    said = subprocess.run(
        ["gcc", "-print-file-name=libxenctrl.so"],
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(said.stdout.strip()).resolve()


def includes(*names: str) -> str:
    return "".join(f"#include <{name}>\n" for name in names)


def test_prototypes_are_those_of_xens_own_headers(
    installed: tuple[str, list[str]],
) -> None:
    release, options = installed
    types = declared(own(release))
    types |= declared(TOOLS / "1" / "xenevtchn.h")
    types |= declared(TOOLS / "1" / "xenforeignmemory.h")
    types |= declared(TOOLS / "1" / "xentoollog.h")
    theirs = includes("xentoollog.h", "xenctrl.h", "xenevtchn.h", "xenforeignmemory.h")
    assert refused(theirs + same_types(types), *options) == ""


def test_types_and_constants_are_those_of_xens_own_headers(
    installed: tuple[str, list[str]],
) -> None:
    release, options = installed
    module = xenctrl.interface_for_xen(release)
    program = "\n".join(
        [
            *facts_of(module),
            *facts_of(xentoollog),
            *(f"SIZE({each})" for each in ("domid_t", "xen_pfn_t", "grant_ref_t")),
            "SIZE(evtchn_port_t) SIZE(xenmem_access_t) SIZE(xentoollog_level)",
        ]
    )
    theirs = includes("xentoollog.h", "xenctrl.h", "xenevtchn.h", "xen/memory.h")
    ours = "".join(
        f'#include "{header}"\n'
        for header in (own(release), *sorted((TOOLS / "1").glob("*.h")))
    )
    assert answers(ours + PRINTING + program) == answers(
        theirs + PRINTING + program, *options
    )


PRINTING = """\
#include <stddef.h>
#include <string.h>
#define SIZE(type) unsigned char size_##type[sizeof(type)];
#define CONSTANT(name) const long long constant_##name = name;
"""


def facts_of(module: Any) -> Iterator[str]:
    """C whose data are the constants of a module, and each member of its records."""
    for name, value in vars(module).items():
        if isinstance(value, int) and name.startswith(("XEN", "XC_", "XTL_")):
            yield f"CONSTANT({name})"
        c_name = getattr(value, "_c_name_", None)
        if isinstance(c_name, str) and hasattr(value, "_members_"):
            for member in value._members_:
                # All bits of one member, and no other.
                zero = f"{c_name} of_{name}_{member.name}"
                ones = "{~0}" if hasattr(member.type, "_length_") else "~0"
                if hasattr(member.type, "_members_"):
                    ones = "{~0}"
                yield f"{zero} = {{ .{member.c_name} = {ones} }};"


def answers(program: str, *options: str) -> str:
    """The data of a program, as the compiler writes it for the assembler."""
    made = subprocess.run(
        [*COMPILER, *options, "-S", "-o", "-"],
        input=program,
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


@pytest.mark.parametrize("module", [xenevtchn, xenforeignmemory, xentoollog])
def test_functions_are_in_the_installed_library(module: Any) -> None:
    require(Path("/usr/include/xenctrl.h").is_file(), "libxen-dev")
    library: Library = module.library
    assert [name for name in functions(module) if not library.has(name)] == []

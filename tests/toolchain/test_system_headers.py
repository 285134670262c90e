"""Which C library a header is read with, and where its includes are looked for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from c_compiler import CLANG, GCC
from support import own_tests, require, xenbind
from xenbind import pipeline, spec
from xenbind.resources import package
from xenbind.toolchain.angled import angled_folders
from xenbind.toolchain.system_headers import system_folders

SPEC = '[interface]\nname = "one"\npackage = "of_one"\nheader = "one.h"\n'


def write(folder: Path, **headers: str) -> Path:
    for name, text in headers.items():
        path = folder / f"{name.replace('__', '/')}.h"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def spec_of(folder: Path, more: str = "") -> Path:
    path = folder / "spec.toml"
    path.write_text(SPEC + more)
    return path


def compiler_of(folder: Path, more: str, command: str) -> str | None:
    """The folder of declarations that stand for the C library's, if they do."""
    loaded = spec.load(spec_of(folder, more)).for_tree(folder)
    words = tuple(command.split())
    libc = pipeline.compiler_for(loaded, loaded.versions[0], words).libc
    return None if libc is None else libc.name


def test_a_compiler_tells_where_it_looks(tmp_path: Path) -> None:
    require(shutil.which("gcc") is not None, "gcc")
    folders = system_folders(("gcc",))
    assert any((folder / "stdint.h").is_file() for folder in folders)
    assert all(folder.is_absolute() for folder in folders)


def test_the_compiler_s_own_c_library_is_read_unless_the_spec_says_otherwise(
    tmp_path: Path,
) -> None:
    require(shutil.which("gcc") is not None, "gcc")
    assert compiler_of(tmp_path, "", "gcc") is None
    assert compiler_of(tmp_path, 'libc = "system"\n', "gcc") is None
    assert compiler_of(tmp_path, 'libc = "own"\n', "gcc") == "libc"


def test_a_compiler_without_a_c_library_has_xenbind_s_own(tmp_path: Path) -> None:
    """As a cross compiler has none that was installed alone."""
    assert compiler_of(tmp_path, "", "gcc -nostdinc") == "libc"


@pytest.mark.parametrize("command", [*GCC.values(), *CLANG.values()])
def test_xenbind_s_own_fits_the_compiler_s_types(command: str) -> None:
    """A compiler checks printf's formats by itself, whatever stands for inttypes.h."""
    require(shutil.which(command.split()[0]) is not None, command)
    types = {
        f"{sign}int{size}_t": [f"PRI{letter}{name}" for letter in letters]
        for size, name in [*((n, n) for n in (8, 16, 32, 64)), ("ptr", "PTR")]
        for sign, letters in (("", "di"), ("u", "ouxX"))
    }
    text = [
        "#include <inttypes.h>",
        "extern __attribute__((format(printf, 1, 2))) void say(const char *, ...);",
    ]
    for number, (name, formats) in enumerate(types.items()):
        text.append(f"void say{number}({name} value) {{")
        text += [f'say("%" {format_}, value);' for format_ in formats]
        text.append("}")
    libc = package() / "toolchain" / "libc"
    options = ["-nostdinc", "-isystem", str(libc), "-Wall", "-Werror"]
    if command in GCC.values():
        options.append("-Wformat-signedness")
    checked = subprocess.run(
        [*command.split(), "-x", "c", "-std=gnu11", *options, "-fsyntax-only", "-"],
        input="\n".join(text),
        capture_output=True,
        text=True,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_xenbind_s_own_says_what_the_c_library_does() -> None:
    """Of every type its size and sign, of every limit its value and type."""
    require(shutil.which("gcc") is not None, "gcc")
    libc = package() / "toolchain" / "libc"
    headers = ("limits.h", "stddef.h", "stdint.h")
    declared = "".join((libc / name).read_text() for name in headers)
    types = re.findall(r"^typedef \w+ (\w+);", declared, re.MULTILINE)
    limits = {*re.findall(r"^#define (\w+_(?:MAX|MIN|BIT)) ", declared, re.MULTILINE)}
    assert len(types) > 20 and len(limits) > 30
    text = [f"#include <{name}>" for name in headers]
    text += [f"int t_{name}[] = {{sizeof({name}), ({name})-1 < 0}};" for name in types]
    for name in sorted(limits):
        text.append(f"unsigned long long v_{name} = (unsigned long long){name};")
        text.append(f"int s_{name}[] = {{sizeof({name}), -1 - 0 * {name} < 0}};")
    made = [
        subprocess.run(
            ["gcc", *options, "-w", "-S", "-x", "c", "-o", "-", "-"],
            input="\n".join(text),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for options in ((), ("-nostdinc", "-isystem", str(libc)))
    ]
    assert made[0] == made[1]


# C11 4p6, without limits.h, which gcc's takes from the C library, too.
FREESTANDING = """
float iso646 stdalign stdarg stdbool stddef stdint stdnoreturn
""".split()
USER = """
static noreturn void never(void) { for (;;) { } }
static int nth(int n, ...) {
    va_list all, again;
    va_start(all, n);
    va_copy(again, all);
    int found = va_arg(again, int);
    va_end(again);
    va_end(all);
    if (found == 0 or not true) never();
    return found;
}
struct one { alignas(8) char a; size_t b; int32_t c; } all[2];
int main(void) { return nth(1, (int)alignof(struct one)); }
"""


@pytest.mark.parametrize("command", [*GCC.values(), *CLANG.values()])
def test_xenbind_s_own_has_what_c_needs_no_library_for(command: str) -> None:
    require(shutil.which(command.split()[0]) is not None, command)
    libc = package() / "toolchain" / "libc"
    limits = set(re.findall(r"define (\w+) __", (libc / "float.h").read_text()))
    text = "".join(f"#include <{name}.h>\n" for name in FREESTANDING) + USER
    text += "".join(f"long double v_{name} = {name};\n" for name in sorted(limits))
    made = [
        subprocess.run(
            [*command.split(), *options, "-S", "-x", "c", "-o", "-", "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for options in (
            ["-ffreestanding"],
            ["-nostdinc", "-isystem", str(libc), "-ffreestanding"],
        )
    ]
    assert made[0] == made[1]


def test_the_c_library_that_a_compiler_lacks_is_told(tmp_path: Path) -> None:
    write(tmp_path, one="#include <stdio.h>\nstruct one { int a; };\n")
    spec = spec_of(tmp_path)
    made = xenbind("generate", "--spec", str(spec), CC="gcc -nostdinc")
    assert made.returncode == 1
    assert f"{tmp_path}/one.h:1:10: error: stdio.h: No such file" in made.stderr
    assert "if it is the C library's, install that for gcc" in made.stderr


def test_xen_s_tree_needs_no_c_library(tmp_path: Path) -> None:
    """The package is the same as with one."""
    tree = Path("/usr/include/xen")
    require(tree.is_dir(), "libxen-dev")
    packages: list[dict[Path, str]] = []
    for command in ("gcc", "gcc -nostdinc"):
        out = tmp_path / str(len(packages))
        made = xenbind("generate", "--tree", str(tree), "--out", str(out), CC=command)
        assert made.returncode == 0, made.stderr
        modules = sorted(out.glob("xen_public/**/*.py"))
        packages.append({path.relative_to(out): path.read_text() for path in modules})
    assert packages[0]
    assert packages[0] == packages[1]


def test_headers_are_looked_for_in_every_tree(tmp_path: Path) -> None:
    """In quotes or angle brackets; the header itself may be in any of the trees."""
    others = write(tmp_path / "others", shared__base="typedef short base_t;\n")
    more = write(tmp_path / "more", plain="typedef char plain_t;\n")
    tree = write(
        tmp_path / "tree",
        one='#include <shared/base.h>\n#include "plain.h"\n#include <stdint.h>\n'
        "struct one { base_t first; plain_t second; uint_least16_t third; };\n",
    )
    options = ["--spec", str(spec_of(tmp_path, 'include = ["more"]\n'))]
    options += ["--include", str(others), "--include", str(tree)]
    options += ["--out", str(tmp_path / "out"), "--cc", "gcc"]
    made = xenbind("generate", *options)
    assert (made.returncode, made.stderr) == (0, "")
    held = xenbind("verify", *options)
    assert held.returncode == 0, held.stdout
    assert xenbind("check", *options).returncode == 0
    assert more.is_dir()


def test_the_trees_are_found_again_from_the_output(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path / "a", one='#include "two.h"\nstruct one { two_t first; };\n')
    write(tmp_path / "b", two="typedef int two_t;\n")
    named = ["--spec", str(spec_of(tmp_path)), "--out", str(tmp_path / "out")]
    trees = ["--include", str(tmp_path / "a"), "--include", str(tmp_path / "b")]
    assert xenbind("generate", *named, *trees, CC="gcc").returncode == 0
    said = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert (said["include"], said["further"]) == ("../a", ["../b"])
    assert xenbind("check", *named, CC="gcc").returncode == 0
    (tmp_path / "b" / "two.h").write_text("typedef long two_t;\n")
    assert xenbind("check", *named, CC="gcc").returncode == 1


def test_system_headers_are_no_part_of_a_package(tmp_path: Path) -> None:
    """Neither their declarations nor copies of them, wherever the tree is."""
    tree = write(
        tmp_path / "elsewhere",
        one="#include <stdint.h>\n#include <stdio.h>\nstruct one { uint8_t first; };\n",
    )
    out = tmp_path / "project" / "out"
    (tmp_path / "project" / ".git").mkdir(parents=True)
    options = [
        "--spec",
        str(spec_of(tmp_path)),
        "--include",
        str(tree),
        "--out",
        str(out),
    ]
    made = xenbind("generate", *options, CC="gcc")
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith("one version 0: 1 struct or union, 0 constants")
    copies = [path.name for path in (out / "reference").rglob("*.h")]
    assert copies == ["one.h"]


def test_a_header_of_the_system_can_be_read_from_where_it_is(tmp_path: Path) -> None:
    folders = system_folders(("gcc",))
    tree = next((f for f in folders if (f / "linux/if_link.h").is_file()), None)
    require(tree is not None, "linux-libc-dev")
    path = tmp_path / "spec.toml"
    path.write_text(SPEC.replace("one.h", "linux/if_link.h"))
    options = [
        "--spec",
        str(path),
        "--include",
        str(tree),
        "--out",
        str(tmp_path / "out"),
    ]
    made = xenbind("generate", *options, CC="gcc")
    assert (made.returncode, made.stderr) == (0, "")
    held = xenbind("verify", *options, CC="gcc")
    assert held.returncode == 0, held.stdout


def test_a_quoted_header_is_the_tree_s_though_the_system_has_one_of_its_name(
    tmp_path: Path,
) -> None:
    """And its declarations are the tree's, also where angle brackets ask for the other one."""
    tree = write(
        tmp_path / "tree",
        parts__one='#include <sched.h>\n#include "sched.h"\nstruct one { mine_t a; };\n',
        sched="typedef short mine_t;\n#define MINE 1\n",
    )
    path = tmp_path / "spec.toml"
    path.write_text(SPEC.replace("one.h", "parts/one.h"))
    options: list[str | Path] = [
        "--spec",
        path,
        "--include",
        tree,
        "--out",
        tmp_path / "out",
    ]
    for cc in ("gcc", "clang"):
        require(shutil.which(cc) is not None, cc)
        made = xenbind("generate", *options, CC=cc)
        assert (made.returncode, made.stderr) == (0, "")
        held = xenbind("verify", *options, CC=cc)
        assert held.returncode == 0, held.stdout
    assert own_tests(tmp_path / "out").returncode == 0


def test_a_folder_is_searched_for_angle_brackets_only_if_it_must_be(
    tmp_path: Path,
) -> None:
    write(
        tmp_path / "a",
        one='#include "two.h"\n#include <stdint.h>\n',
        two="#if __has_include(<deep/three.h>)\n#endif\n",
        stdint="",
    )
    write(tmp_path / "b", deep__three="", four="#include NAME\n", five="")
    include = (tmp_path / "a", tmp_path / "b")
    one, system = tmp_path / "a" / "one.h", system_folders(("gcc",))
    assert angled_folders(one, (), include, system) == (tmp_path / "b",)
    assert angled_folders(one, (), include[:1], system) == ()
    assert angled_folders(one, (), include, ()) == include
    assert angled_folders(tmp_path / "a" / "none.h", ("five.h",), include, system) == ()
    assert angled_folders(tmp_path / "b" / "four.h", (), include, system) == include


def test_a_header_may_ask_what_has_been_included_before_it(tmp_path: Path) -> None:
    write(
        tmp_path,
        one="#if defined(_STDINT_H) || defined(_STRING_H) || defined(offsetof)\n"
        "#define LATE 1\n#else\n#define EARLY offsetof(struct one, b)\n#endif\n"
        "struct one { int a; char *b; };\nint one_send(struct one *);\n",
    )
    path = spec_of(tmp_path, '[functions]\nlibrary = "libone.so.1"\n')
    options: list[str | Path] = ["--spec", path, "--out", tmp_path / "out"]
    assert xenbind("generate", *options, CC="gcc").returncode == 0
    assert "EARLY: Final = 8" in (tmp_path / "out" / "of_one" / "v0.py").read_text()
    held = xenbind("verify", *options, CC="gcc")
    assert held.returncode == 0, held.stdout + held.stderr
    assert own_tests(tmp_path / "out").returncode == 0

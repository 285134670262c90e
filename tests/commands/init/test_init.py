"""What `xenbind init` finds out about a header, and that its spec can be used at once."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from support import INSTALLED, PROJECT, require, xenbind
from xenbind.toolchain.system_headers import system_folders

WORDS = re.compile(r"\b(?:xen|dom0)\b", re.IGNORECASE)


def write(folder: Path, **headers: str) -> None:
    """Write headers by their names without `.h`; `a__b` is b.h in the folder a."""
    for name, text in headers.items():
        path = folder / f"{name.replace('__', '/')}.h"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def made(folder: Path, *arguments: str) -> dict[str, Any]:
    """What the spec of a header in the folder says, from which a package is made."""
    run = xenbind("init", *arguments, "-o", "made.toml", cwd=folder)
    assert (run.returncode, run.stderr) == (0, "")
    generated = xenbind("generate", "--spec", "made.toml", "--out", "out", cwd=folder)
    assert (generated.returncode, generated.stderr) == (0, "")
    return tomllib.loads((folder / "made.toml").read_text())


def uncommented(text: str) -> str:
    """A spec whose [functions] are taken over, where that is left to whoever wrote it."""
    before, head, functions = text.partition("# [functions]\n")
    return before + re.sub("^# ", "", head + functions, flags=re.M)


def refused(folder: Path, *arguments: str) -> str:
    """What a user is told, and that there is no spec."""
    run = xenbind("init", *arguments, cwd=folder)
    assert run.returncode != 0
    assert not list(folder.glob("*.toml"))
    return run.stderr


def test_headers_of_the_c_library_are_found_by_the_names_that_are_missing(
    tmp_path: Path,
) -> None:
    write(tmp_path, pair="struct pair { uint32_t a; bool b; size_t c; FILE *d; };\n")
    spec = made(tmp_path, "pair.h")
    assert spec["interface"]["needs"] == ["stdint.h", "stdbool.h", "stdio.h"]
    assert "include" not in spec["interface"]


def test_headers_beside_are_found_by_what_they_declare_and_what_they_need(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        base="typedef uint8_t word_t;\nstruct node { word_t at; };\n",
        user="struct user { word_t word; };\nstruct list { struct node first; };\n",
    )
    assert made(tmp_path, "user.h")["interface"]["needs"] == ["stdint.h", "base.h"]


def test_a_macro_that_an_error_asks_for_is_defined(tmp_path: Path) -> None:
    text = "#if !defined(__KERNEL__) && !defined(TOOLS)\n#error who are you?\n#endif\n"
    write(
        tmp_path, a=f"#ifndef A_H\n#define A_H\n{text}struct a {{ int b; }};\n#endif\n"
    )
    assert made(tmp_path, "a.h")["interface"]["defines"] == ["TOOLS"]


def test_two_macros_that_one_error_asks_for_are_both_defined(tmp_path: Path) -> None:
    text = "#if !defined(HOST) || !defined(TOOLS)\n#error who are you?\n#endif\n"
    write(tmp_path, a=f"{text}struct a {{ int b; }};\n")
    assert made(tmp_path, "a.h")["interface"]["defines"] == ["HOST", "TOOLS"]


def test_a_header_that_an_error_asks_for_is_included(tmp_path: Path) -> None:
    asks = "#ifndef ALL_H\n#error Include <all.h> instead.\n#endif\n"
    write(
        tmp_path,
        all='#define ALL_H\n#include "part.h"\n',
        part=f"#ifndef P_H\n#define P_H\n{asks}struct p {{ int a; }};\n#endif\n",
    )
    assert made(tmp_path, "part.h")["interface"]["needs"] == ["all.h"]


def test_a_macro_without_which_no_type_is_declared_is_defined(tmp_path: Path) -> None:
    write(
        tmp_path,
        a="#define SIZE 4\n#ifdef WANTED\nstruct a { char b[SIZE]; };\n#endif\n",
    )
    assert made(tmp_path, "a.h")["interface"]["defines"] == ["WANTED"]


def test_of_the_c_library_s_own_names_the_macro_is_defined_that_asks_for_them(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        tree="#include <features.h>\nint tree(void);\n"
        "#ifdef __USE_XOPEN_EXTENDED\nstruct TREE { int level; };\n#endif\n",
    )
    assert made(tmp_path, "tree.h")["interface"]["defines"] == ["_GNU_SOURCE"]


def test_other_macros_are_told_and_not_defined(tmp_path: Path) -> None:
    write(tmp_path, a="struct a { int b; };\n#ifdef OLD_NAMES\n#define aa a\n#endif\n")
    assert made(tmp_path, "a.h")["interface"]["defines"] == []
    assert "ask for these, too: OLD_NAMES." in (tmp_path / "made.toml").read_text()


def test_a_struct_in_no_branch_that_is_taken_is_no_macro_to_be_skipped(
    tmp_path: Path,
) -> None:
    header = (
        "#ifndef _PAIR_H\n#define _PAIR_H\n/* Of more\n   lines than one. */\n"
        "#if PAIR_LEVEL > 2\nstruct PAIR { int a; };\n#endif\n"
        "extern int pair_walk(int);\n#define PAIR_TOP 1\n#endif\n"
    )
    write(tmp_path, pair=header)
    run = xenbind("init", "pair.h", "-o", "made.toml", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    spec = (tmp_path / "made.toml").read_text()
    assert tomllib.loads(spec)["interface"]["skip"] == []
    assert "# struct PAIR is left out: it is in no branch that was taken" in spec
    generated = xenbind("generate", "--spec", "made.toml", "--out", "o", cwd=tmp_path)
    assert generated.returncode == 0
    assert generated.stderr.startswith("pair.h:6:8: note: struct PAIR is left out")
    assert "what the header's #if asks for (PAIR_LEVEL) under" in generated.stderr


def test_what_functions_point_to_is_a_handle_with_them(tmp_path: Path) -> None:
    header = (
        "typedef struct gadget gadget_t;\ntypedef struct loose loose_t;\n"
        "struct a { int b; };\nvoid gadget_free(gadget_t *gadget);\n"
    )
    write(tmp_path, gadget=header)
    run = xenbind("init", "gadget.h", "-o", "made.toml", cwd=tmp_path)
    assert (run.returncode, run.stderr) == (0, "")
    text = (tmp_path / "made.toml").read_text()
    assert "# Then these are handles, of which C knows no more: gadget_t." in text
    assert "gadget_t is left out" not in text
    assert "# loose_t is left out: 'struct loose' is never defined" in text


def test_folders_of_included_headers_are_found_above(tmp_path: Path) -> None:
    write(
        tmp_path,
        include__common__base="typedef int base_t;\n",
        parts__a="#include <common/base.h>\nstruct a { base_t b; };\n",
    )
    assert made(tmp_path, "parts/a.h")["interface"]["include"] == ["parts", "include"]


def test_an_included_header_is_found_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "base one.h").write_text("struct base { int a; };\n")
    (tmp_path / "low").mkdir()
    user = '#include "base one.h"\nstruct user { struct base a; };\n'
    write(tmp_path / "low", user=user)
    assert made(tmp_path, "low/user.h")["interface"]["include"]


def test_several_headers_are_one_package_whichever_includes_which(
    tmp_path: Path,
) -> None:
    write(
        tmp_path,
        one='#include "sub/two.h"\nstruct one { struct two a; };\n',
        sub__two="#pragma once\n#define TWO 2\nstruct two { int b; };\n",
    )
    spec = made(tmp_path, "one.h", "sub/two.h")
    assert spec["interface"]["header"] == "one_headers.h"
    umbrella = (tmp_path / "one_headers.h").read_text()
    assert umbrella == '#include "one.h"\n#include "two.h"\n'
    module = (tmp_path / "out" / "one" / "v0.py").read_text()
    for declared in ("class one(", "class two(", "TWO: Final = 2"):
        assert declared in module


def test_what_the_header_has_is_put_down(tmp_path: Path) -> None:
    write(
        tmp_path,
        req="""\
#define REQ_INTERFACE_VERSION 3
#define REQ_OP_READ 0
#define REQ_OP_WRITE 1
#define REQ_OP_TRIM 2
#define REQ_F_SYNC (1 << 0)
#define REQ_F_FUA (1 << 1)
#define REQ_HERE __LINE__
struct req {
    int version;
    int flags;
    int op;
    union { int read; long write; char other; } u;
};
int req_send(const struct req *req);
""",
    )
    spec = made(tmp_path, "req.h")
    assert spec["interface"]["version_macro"] == "REQ_INTERFACE_VERSION"
    assert spec["interface"]["flags"] == ["REQ_F_"]
    assert spec["interface"]["skip"] == ["REQ_HERE"]
    assert spec["names"] == {"REQ_OP_": "ReqOp", "REQ_F_": "ReqF"}
    assert spec["payload"] == {
        "record": "struct req",
        "tag": "op",
        "union": "u",
        "prefix": "REQ_OP_",
    }
    text = (tmp_path / "made.toml").read_text()
    assert '# # library = "…"  # its name; none that is installed has any' in text
    assert "functions" not in spec
    assert "Whose are these members of 'u': other?" in text


def test_who_reads_what_on_a_page_is_put_down(tmp_path: Path) -> None:
    for name in ("kbdif", "console"):
        shutil.copy(PROJECT / "tests" / "data" / "events" / f"{name}.h", tmp_path)
    spec = made(tmp_path, "kbdif.h", "console.h")
    assert spec["event_ring"] == {
        "XENKBD_IN_RING_REF": {
            "reader": "frontend",
            "tag": "type",
            "prefix": "XENKBD_TYPE_",
        },
        "XENKBD_OUT_RING_REF": {"reader": "backend"},
    }
    assert spec["byte_ring"] == {
        "in": {"reader": "frontend"},
        "out": {"reader": "backend"},
    }
    module = next(tmp_path.glob("out/*/v0.py")).read_text()
    assert "def payload(" in module
    for name in ("FrontEventPage", "BackEventPage", "FrontByteRing", "BackByteRing"):
        assert f"class {name}(" in module


def test_what_it_suggests_in_comments_is_right_when_it_is_taken_over(
    tmp_path: Path,
) -> None:
    write(tmp_path, lib="struct h { int a; };\nint lib_open(struct h *h, int mode);\n")
    made(tmp_path, "lib.h")
    path = tmp_path / "made.toml"
    text = path.read_text()
    assert '\n# # library = "…"  # its name; none that is installed has any' in text
    text = text.replace('# # library = "…"', '# library = "liblib.so.1"')
    path.write_text(uncommented(text))
    run = xenbind("generate", "--spec", "made.toml", "--out", "out", cwd=tmp_path)
    assert "1 function" in run.stdout, run.stderr


def test_the_library_is_found_by_its_functions(tmp_path: Path) -> None:
    """No library is called after this header, and one of its functions is in none."""
    write(
        tmp_path,
        a="unsigned if_nametoindex(const char *name);\nint if_nowhere(void);\n",
    )
    run = xenbind("init", "a.h", cwd=tmp_path)
    assert "libc.so.6 has 1 of 2 functions: see [functions] there\n" in run.stdout
    text = (tmp_path / "a.toml").read_text()
    assert '# library = "libc.so.6"  # is installed and has 1 of 2\n' in text


def test_the_package_has_functions_if_there_is_no_doubt_whose_they_are(
    tmp_path: Path,
) -> None:
    """What its library lacks is under `skip`."""
    write(
        tmp_path,
        a="unsigned if_nametoindex(const char *name);\nint if_nowhere(void);\n"
        "char *if_indextoname(unsigned index, char *name);\nint __if_own(void);\n",
    )
    run = xenbind("init", "a.h", cwd=tmp_path)
    assert (
        "libc.so.6 has 2 of 4 functions, and so has the package: see [functions] there\n"
        in run.stdout
    )
    ran = xenbind("generate", "--spec", "a.toml", "--out", "out", cwd=tmp_path)
    assert "2 functions" in ran.stdout, ran.stderr
    used = "from a import v0; print(v0.if_nametoindex('no such'))"
    said = subprocess.run(
        [sys.executable, "-c", used],
        cwd=tmp_path / "out",
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "0\n"


@pytest.mark.parametrize(
    ("also", "found"),
    [
        ("", ["liba.so.1", "# or libb.so.1", "# or liba-more.so.1"]),
        ("void __interceptor_any_one(void) { }", ["libb.so.1", "# or liba-more.so.1"]),
    ],
)
def test_of_several_libraries_the_plain_one_is_named_and_none_that_stands_before_others(
    also: str, found: list[str], tmp_path: Path
) -> None:
    write(tmp_path, h="int any_one(void);\nint any_two(void);\n")
    both = "int any_one(void) { return 1; } int any_two(void) { return 2; }"
    for name, text in (("a", both + also), ("a-more", both), ("b", both)):
        (tmp_path / f"{name}.c").write_text(text)
        compiled = ["gcc", "-shared", "-fPIC", f"-Wl,-soname,lib{name}.so.1"]
        subprocess.run(
            [*compiled, "-o", f"lib{name}.so", f"{name}.c"], cwd=tmp_path, check=True
        )
    run = xenbind("init", "h.h", "--cc", f"gcc -B{tmp_path}", cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    text = uncommented((tmp_path / "h.toml").read_text())
    named = re.findall(r'^(?:library = |(# or ))"(.*?)"', text, flags=re.M)
    assert ["".join(each) for each in named] == found
    assert tomllib.loads(text)["functions"]["library"] == found[0]


def test_groups_are_those_that_the_package_has(tmp_path: Path) -> None:
    """Without those with a prefix of their own, the others are a group, too."""
    write(
        tmp_path,
        a="""\
            #define USB_DT_DEVICE_SIZE 18
            #define USB_DT_CONFIG_SIZE 9
            #define USB_DT_INTERFACE_SIZE 9
            #define USB_DT_ENDPOINT_SIZE 7
            #define USB_DT_ENDPOINT_AUDIO_SIZE 9
            #define USB_DT_HUB_SIZE 7
            #define USB_DT_COMPANION_SIZE 6
            #define USB_DT_BOS_SIZE 5
            #define USB_DT_CAPABILITY_SIZE 3
        """,
    )
    run = xenbind("init", "a.h", cwd=tmp_path)
    generated = xenbind("generate", "--spec", "a.toml", "--out", "out", cwd=tmp_path)
    counted = re.compile(r"\d+ constants in \d+ groups?")
    assert counted.findall(run.stdout) == counted.findall(generated.stdout) != []


def test_functions_of_a_header_that_it_includes_are_told(tmp_path: Path) -> None:
    write(
        tmp_path,
        lib__all='#include "easy.h"\n#include "types.h"\nint lib_open(struct h *h);\n',
        lib__easy='#include "types.h"\nint lib_easy(struct h *h);\nint lib_twice(void);\n',
        lib__types="#pragma once\nstruct h { int a; };\n",
        lib__other="int lib_other(void);\n",
    )
    run = xenbind("init", "lib/all.h", "--include", ".", cwd=tmp_path)
    assert (
        "lib/easy.h has 2 functions more: see there how to have these\n" in run.stdout
    )
    told = (tmp_path / "all.toml").read_text()
    assert "2 functions that the package has not: lib_easy, lib_twice." in told.replace(
        "\n# ", " "
    )
    (again,) = re.findall("^# xenbind init (.*)", told, flags=re.M)
    run = xenbind(
        "init", *again.split(), "--include", ".", "-o", "both.toml", cwd=tmp_path
    )
    assert "3 functions\n" in run.stdout
    assert "more" not in run.stdout


def test_a_library_that_is_not_installed_is_not_guessed(tmp_path: Path) -> None:
    write(tmp_path, a="int if_nowhere(void);\n")
    run = xenbind("init", "a.h", cwd=tmp_path)
    told = "no installed library has its functions: see [functions] there\n"
    assert told in run.stdout


@pytest.mark.parametrize(
    ("header", "is_there"),
    [
        ("math.h", ("def sin(", "M_PI: Final")),
        ("time.h", ("def mktime(", "class tm(")),
        ("sys/socket.h", ("def recvmsg(", "class msghdr(", "AF_INET: Final")),
    ],
)
def test_a_header_of_the_c_library_needs_no_more_than_its_name(
    header: str, is_there: tuple[str, ...], tmp_path: Path
) -> None:
    """It has its parts, and what its library lacks or Python cannot call is under `skip`."""
    spec = tmp_path / "made.toml"
    assert xenbind("init", header, "-o", spec, cwd=tmp_path).returncode == 0
    spec.write_text(uncommented(spec.read_text()))
    generated = xenbind("generate", "--spec", spec, cwd=tmp_path, CC="gcc")
    assert (generated.returncode, generated.stderr) == (0, "")
    held = xenbind("verify", "--spec", spec, cwd=tmp_path, CC="gcc")
    assert held.returncode == 0, held.stdout
    (module,) = (tmp_path / "generated").glob("*/v0.py")
    text = module.read_text()
    assert [each for each in is_there if each not in text] == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    write(tmp_path, a="struct a { int b; };\n")
    (tmp_path / "a.toml").write_text("mine")
    run = xenbind("init", "a.h", cwd=tmp_path)
    assert run.returncode == 1
    assert run.stderr == (
        "xenbind: error: a.toml is there already, and init overwrites nothing\n"
        "  help: name another file with --out, or remove that one\n"
    )
    assert (tmp_path / "a.toml").read_text() == "mine"


def test_what_the_compiler_refuses_whatever_is_tried_is_told(tmp_path: Path) -> None:
    write(tmp_path, bad="struct bad { nowhere_t x; };\n")
    told = refused(tmp_path, "bad.h")
    assert told.startswith("bad.h:1:14: error: unknown type name 'nowhere_t'\n")
    assert (
        "  help: nothing that was tried helps; name what is missing with --needs"
        in told
    )


def test_what_nothing_tells_can_be_said(tmp_path: Path) -> None:
    write(tmp_path, a="#if LEVEL < 3\n#error no\n#endif\nstruct a { int b; };\n")
    assert "no" in refused(tmp_path, "a.h")
    defines = made(tmp_path, "a.h", "--define", "LEVEL=3")["interface"]["defines"]
    assert defines == ["LEVEL=3"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["gone.h"], "there is no header gone.h"),
        (
            ["a.h", "--needs", "../b.h"],
            "--needs '../b.h': it must be a header in the tree",
        ),
        (["a.h", "--define", "-x"], "--define '-x': it must be a macro's name"),
        (["a.h", "--needs", "gone.h"], "gone.h: No such file or directory"),
    ],
)
def test_wrong_use(arguments: list[str], told: str, tmp_path: Path) -> None:
    write(tmp_path, a="struct a { int b; };\n")
    assert told in refused(tmp_path, *arguments)


def verified(folder: Path, header: str) -> dict[str, Any]:
    """What the spec of an installed header says, whose package is right."""
    spec = made(folder, header)
    run = xenbind("verify", "--spec", "made.toml", "--out", "out", cwd=folder)
    assert run.returncode == 0, run.stdout + run.stderr
    return spec


OF_LINUX = ["linux/input.h", "linux/can/raw.h", "sys/un.h", "net/if.h"]


@pytest.mark.parametrize(
    "header",
    [
        OF_LINUX[0],
        *(pytest.param(each, marks=pytest.mark.exhaustive) for each in OF_LINUX[1:]),
    ],
)
def test_a_header_that_is_not_xen_s_makes_nothing_that_speaks_of_xen(
    header: str, tmp_path: Path
) -> None:
    folders = system_folders(("gcc",))
    require(any((folder / header).is_file() for folder in folders), header)
    verified(tmp_path, header)
    texts = [tmp_path / "made.toml", *(tmp_path / "out").rglob("*")]
    for path in filter(Path.is_file, texts):
        assert not WORDS.search(path.read_text()), path


def test_xen_s_header_is_known_as_the_project_s_own_spec_has_it(tmp_path: Path) -> None:
    require(INSTALLED.is_dir(), "libxen-dev")
    spec = verified(tmp_path, str(INSTALLED / "vm_event.h"))
    own = tomllib.loads((PROJECT / "headers" / "vm_event.toml").read_text())
    del own["payload"]["members"]
    assert spec["payload"] == own["payload"]
    for key in ("version_macro", "defines"):
        assert spec["interface"][key] == own["interface"][key]
    assert spec["ring"]["vm_event"] == {
        "flags": "flags",
        "keep": [],
        "version": "version",
    }


def test_headers_that_clash_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "one.h").write_text("struct pair { int a; };\n")
    (tmp_path / "two.h").write_text("struct pair { long a; };\n")
    found = xenbind("init", "one.h", "two.h", "-o", "spec.toml", cwd=tmp_path)
    assert found.returncode == 1
    assert "redefinition of 'struct pair'" in found.stderr.replace('"', "'")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.h", "two.h"]


def test_neighbours_that_cannot_be_read_are_no_help(tmp_path: Path) -> None:
    (tmp_path / "user.h").write_text("struct s { undefined_type a; };\n")
    (tmp_path / "loop.h").symlink_to("loop.h")
    (tmp_path / "folder.h").mkdir()
    found = xenbind("init", "user.h", cwd=tmp_path)
    assert found.returncode == 1
    assert found.stderr.startswith("user.h:1:12: error: unknown type name")
    assert not (tmp_path / "user.toml").exists()


def test_what_results_tell_of_is_of_their_types(tmp_path: Path) -> None:
    (tmp_path / "tiny.h").write_text(
        "struct tiny { int a; };\n_Bool tiny_ok(struct tiny *t);\nunsigned tiny_size(void);\n"
    )
    assert xenbind("init", "tiny.h", cwd=tmp_path).returncode == 0
    assert '# errors = ["false"]' in (tmp_path / "tiny.toml").read_text()
    shown = xenbind("show", "--spec", "tiny.toml", "0", "tiny", cwd=tmp_path)
    assert shown.stdout.startswith("struct tiny  4 bytes")


def test_a_folder_that_no_compiler_can_be_told_of_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / 'q"d'
    folder.mkdir()
    for name in ("one", "two"):
        (folder / f"{name}.h").write_text(f"struct {name} {{ int a; }};\n")
    headers = [f'q"d/{name}.h' for name in ("one", "two")]
    found = xenbind("init", *headers, "-o", 'q"d/spec.toml', cwd=tmp_path)
    assert found.returncode == 1
    assert "a header's path must have no quotes" in found.stderr
    assert len(list(folder.iterdir())) == 2


def test_what_no_guess_helps_is_told_soon_however_many_headers_are_beside(
    tmp_path: Path,
) -> None:
    for number in range(20):
        text = f"struct s{number} {{ int a, b, c, d, e, f; _Bool odd : 9; }};\n"
        (tmp_path / f"h{number}.h").write_text(text)
    runs = tmp_path / "runs"
    compiler = tmp_path / "counting"
    compiler.write_text(f'#!/bin/sh\necho >> {runs}\nexec gcc "$@"\n')
    compiler.chmod(0o755)
    found = xenbind("init", "h0.h", "--cc", str(compiler), cwd=tmp_path)
    assert found.stderr.startswith("h0.h:1:41: error: width of 'odd' exceeds its type")
    assert runs.read_text().count("\n") < 400

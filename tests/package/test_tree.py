"""The package of a tree of headers: a module a header, and each type in one of them.

The tree is tests/data/tree: headers that use, include, repeat and contradict each other.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from support import INSTALLED, PROJECT, own_tests, xenbind
from xen_tree import XenTree
from xenbind.spec.rules import is_own_name

TREE = PROJECT / "tests" / "data" / "tree"


def options(tree: Path, out: Path) -> tuple[str | Path, ...]:
    return ("--spec", tree / "tree.toml", "--out", out)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the tree."""
    out = tmp_path_factory.mktemp("tree") / "out"
    result = xenbind("generate", *options(TREE, out))
    assert result.returncode == 0, result.stderr
    return out


@pytest.fixture(scope="module")
def package(made: Path) -> Iterator[ModuleType]:
    sys.path.insert(0, str(made))
    yield importlib.import_module("small_tree")
    sys.path.remove(str(made))


def module(name: str) -> ModuleType:
    return importlib.import_module(f"small_tree.{name}")


def test_it_agrees_with_c_on_each_target(made: Path) -> None:
    verified = xenbind("verify", *options(TREE, made))
    assert verified.returncode == 0, verified.stdout
    assert verified.stdout.splitlines()[-1].endswith(" 0 mismatches")


def test_its_own_tests_pass(made: Path) -> None:
    result = own_tests(made)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    "command",
    ["ruff check .", "black --check .", "mypy --strict -p small_tree"],
    ids=lambda command: command.partition(" ")[0],
)
def test_it_is_clean(made: Path, command: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", *command.split()],
        cwd=made,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_modules_are_laid_out_as_the_headers(package: ModuleType) -> None:
    assert package.HEADERS["io/9ring.h"] == "small_tree.io._9ring"
    assert package.HEADERS["io/in.h"] == "small_tree.io.in_"
    assert package.HEADERS["whole-again.h"] == "small_tree.whole_again"
    assert package.header("base.h") is module("base")
    with pytest.raises(LookupError, match=r"no bindings for the header 'bass\.h'"):
        package.header("bass.h")


def test_a_module_is_imported_when_it_is_asked_for(made: Path) -> None:
    program = (
        "import sys, small_tree\n"
        "print(sorted(n for n in sys.modules if n.startswith('small_tree')))\n"
        "small_tree.io._9ring.nine\n"
        "print('small_tree.io._9ring' in sys.modules, 'small_tree.wide' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=made,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "['small_tree']\nTrue False\n"


def test_a_type_is_in_the_module_of_its_header(package: ModuleType) -> None:
    point = module("base").point
    assert point.__module__ == "small_tree.base"
    nine = module("io._9ring").nine(corners=[(1, 2), (3, 4)])
    assert isinstance(nine.corners[1], point)
    assert isinstance(module("io.in_").in_(nine=nine).nine, module("io._9ring").nine)
    assert module("io._9ring").nine_place_t is point


def test_each_type_is_written_once(made: Path) -> None:
    texts = [path.read_text() for path in made.glob("small_tree/**/*.py")]
    for name in ("point", "nine", "part", "whole", "here", "there", "arm_regs"):
        assert sum(f"\nclass {name}(" in text for text in texts) == 1, name


def test_a_header_that_is_none_by_itself_is_part_of_another(
    package: ModuleType, made: Path
) -> None:
    assert "part.h" not in package.HEADERS
    assert module("whole").part.__module__ == "small_tree.whole"
    assert module("whole").PART_SIZE == 3
    assert module("whole_again").whole_again().part.__class__ is module("whole").part


def test_headers_that_include_each_other_share_one_modules_types(
    package: ModuleType,
) -> None:
    here, there = module("here"), module("there")
    assert there.there is here.there
    assert isinstance(there.there_alone().here, here.here)


def test_what_macros_make_another_type_is_another(package: ModuleType) -> None:
    config, wide, narrow = module("config"), module("wide"), module("narrow")
    assert isinstance(narrow.narrow().config, config.config)
    wide_config = wide.wide().config
    assert not isinstance(wide_config, config.config)
    wide_config.word = 1 << 40
    assert wide_config.word == 1 << 40
    # It points to the one that is another, too.
    assert not isinstance(wide.wide().list, config.config_list)


def test_a_header_of_nothing_but_others_has_their_types(package: ModuleType) -> None:
    umbrella = module("umbrella")
    assert umbrella.point is module("base").point
    assert umbrella.whole is module("whole").whole


def test_an_enum_of_another_module_selects_a_payload(package: ModuleType) -> None:
    colour, nine = module("base").Colour, module("io._9ring").nine
    assert nine(colour=colour.BLUE).payload == 0
    assert isinstance(nine(colour=colour.RED).payload, module("base").point)


@pytest.mark.skipif(
    shutil.which("aarch64-linux-gnu-gcc") is None, reason="no compiler for arm64"
)
def test_what_is_for_another_machine_says_so(package: ModuleType) -> None:
    assert "arch-arm/more.h" in package.HEADERS
    said = "small_tree.arch_arm is for arm64 alone, and this is "
    with pytest.raises(ImportError, match=said):
        package.header("arch-arm.h")


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    result = xenbind("generate", *options(TREE, tmp_path / "out"), "--json")
    left_out = json.loads(result.stdout)["left_out_headers"]
    assert [(each["name"], each["reason"]) for each in left_out] == [
        ("broken.h", '#error "this one is for nobody"')
    ]
    strict = xenbind("generate", *options(TREE, tmp_path / "strict"), "--strict")
    assert strict.returncode == 1
    assert "broken.h:1:2: error: the package cannot have broken.h" in strict.stderr
    assert not (tmp_path / "strict").exists()


def test_check_sees_a_header_that_came(tmp_path: Path) -> None:
    tree, out = tmp_path / "tree", tmp_path / "out"
    shutil.copytree(TREE, tree)
    assert xenbind("generate", *options(tree, out)).returncode == 0
    assert xenbind("check", *options(tree, out)).returncode == 0
    (tree / "new.h").write_text('#include "base.h"\nstruct new_one { who_t who; };\n')
    checked = xenbind("check", *options(tree, out), "--stat")
    assert checked.returncode == 1
    assert f"missing: {out}/small_tree/new.py\n" in checked.stdout


def test_a_type_that_moves_breaks_nothing(tmp_path: Path) -> None:
    tree, out = tmp_path / "tree", tmp_path / "out"
    shutil.copytree(TREE, tree)
    assert xenbind("generate", *options(tree, out)).returncode == 0
    base, part = (tree / "base.h").read_text(), (tree / "part.h").read_text()
    (tree / "part.h").write_text(f'#include "base.h"\n{part}')  # now it is a header
    moved = xenbind("generate", *options(tree, out))
    assert moved.returncode == 0, moved.stderr
    assert "\nclass part(" in (out / "small_tree" / "part.py").read_text()
    (tree / "base.h").write_text(base.replace("int32_t y;", "int64_t y;"))
    broken = xenbind("generate", *options(tree, out))
    assert broken.returncode == 1
    assert "base.h: the ABI broke" in broken.stderr


def test_a_tree_of_no_headers_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.txt").write_text("no header")
    result = xenbind("generate", "--tree", tmp_path / "tree", "--out", tmp_path / "out")
    assert result.returncode == 1
    assert "tree has no header that is one of **/*.h" in result.stderr


def test_a_tree_whose_headers_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "a.h").write_text("struct a { b_t b; };\n")
    (tree / "b.h").write_text("struct b { a_t a; };\n")
    result = xenbind("generate", "--tree", tree, "--out", tmp_path / "out")
    assert result.returncode == 1
    assert "a.h:1:12: error: unknown type name 'b_t'" in result.stderr
    assert "none of 2 headers can be read by itself" in result.stderr
    assert not (tmp_path / "out").exists()


def test_any_tree_is_a_package_named_after_its_folder(tmp_path: Path) -> None:
    tree, out = tmp_path / "my-protocol", tmp_path / "out"
    (tree / "wire").mkdir(parents=True)
    (tree / "sizes.h").write_text("#define LONGEST 64\ntypedef uint16_t size_word;\n")
    (tree / "wire" / "frame.h").write_text(
        '#include "../sizes.h"\nstruct frame { size_word size; char text[LONGEST]; };\n'
    )
    assert xenbind("generate", "--tree", tree, "--out", out).returncode == 0
    program = (
        "from my_protocol.wire import frame; print(frame.frame(size=2, text=b'hi'))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=out,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "size=2" in ran.stdout
    assert xenbind("verify", "--tree", tree, "--out", out).returncode == 0
    assert xenbind("check", "--tree", tree, "--out", out).returncode == 0


def test_all_of_xens_headers_agree_with_c(xen_tree: XenTree) -> None:
    verified = xenbind("verify", "--tree", INSTALLED, "--out", xen_tree.out)
    assert verified.returncode == 0, verified.stdout
    assert own_tests(xen_tree.out).returncode == 0


def test_xens_commands_select_their_payloads(xen_tree: XenTree) -> None:
    program = (
        "from xen_public import domctl, memory, physdev\n"
        "told = domctl.xen_domctl(cmd=domctl.XEN_DOMCTL_getdomaininfo)\n"
        "print(type(told.payload).__name__)\n"
        "print(memory.physdev_pci_device is physdev.physdev_pci_device)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=xen_tree.out,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "xen_domctl_getdomaininfo\nTrue\n"


def test_two_trees_are_told_apart_header_by_header(tmp_path: Path) -> None:
    for name in ("old", "new"):
        shutil.copytree(TREE, tmp_path / name)
    new = tmp_path / "new"
    (new / "umbrella.h").unlink()
    (new / "later.h").write_text("struct later { uint8_t late; };\n")
    base = (new / "base.h").read_text()
    (new / "base.h").write_text(base.replace("int32_t y;", "int32_t y, z;"))
    options = ("--spec", TREE / "tree.toml", tmp_path / "old", new)
    told = xenbind("diff", "--tree", *options, "--exit-code")
    assert told.returncode == 1
    lines = told.stdout.splitlines()
    assert lines[0].endswith("new: breaking, 7 headers differ")
    assert lines[1:3] == ["  - umbrella.h", "  + later.h"]
    assert "base.h: breaking" in lines
    # It is told of its own header alone, and of what is made of it that it grew.
    assert lines.count("struct point: grew from 8 to 12 bytes") == 1
    (part,) = (line for line in lines if line.startswith("  ~ struct part: "))
    assert "grew from 20 to 24 bytes" in part
    found = json.loads(xenbind("diff", "--tree", *options, "--json").stdout)
    assert (found["removed"], found["added"]) == (["umbrella.h"], ["later.h"])
    same = xenbind("diff", "--tree", *options[:3], tmp_path / "old", "--exit-code")
    assert (same.returncode, same.stdout.count("\n")) == (0, 1)


def test_one_header_of_a_tree_is_shown() -> None:
    options = ("--tree", TREE, "--spec", TREE / "tree.toml")
    shown = xenbind("show", *options, "io/9ring.h", "nine")
    assert shown.returncode == 0, shown.stderr
    assert "corners" in shown.stdout
    unknown = xenbind("show", *options, "io/9rings.h", "nine")
    assert unknown.returncode == 1
    assert "has no header 'io/9rings.h'" in unknown.stderr
    assert "such as io/9ring.h" in unknown.stderr
    assert xenbind("show", *options).returncode == 2


def write(tree: Path, files: dict[str, str]) -> Path:
    """A tree of such headers."""
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    return tree


def imported(out: Path, *modules: str) -> str:
    """What Python prints that imports each module in a process of its own."""
    return "".join(
        subprocess.run(
            [sys.executable, "-c", f"import {each}"],
            cwd=out,
            capture_output=True,
            text=True,
            check=False,
        ).stderr
        for each in modules
    )


def test_any_module_can_be_the_first_that_is_imported(tmp_path: Path) -> None:
    files = {
        "whole.h": '#include "between.h"\nstruct all { struct most m; };\n',
        "between.h": (
            "#ifndef BETWEEN\n#define BETWEEN\n"
            '#include "whole/part.h"\nstruct most { struct part p; };\n#endif\n'
        ),
        "whole/part.h": "#ifndef PART\n#define PART\nstruct part { int p; };\n#endif\n",
    }
    tree = write(tmp_path / "whole_tree", files)
    out = tmp_path / "out"
    made = xenbind("generate", "--tree", tree, "--out", out)
    assert made.returncode == 0, made.stderr
    modules = "whole_tree.whole", "whole_tree.between", "whole_tree.whole.part"
    assert imported(out, *modules) == ""


def test_a_header_called_as_something_of_the_package_has_another_name(
    tmp_path: Path,
) -> None:
    names = "__init__", "runtime/records", "macros/a", "raw/a", "header", "in/__init__"
    files = {
        f"{name}.h": f"struct s{i} {{ int a; }};\n" for i, name in enumerate(names)
    }
    tree, out = write(tmp_path / "odd", files), tmp_path / "out"
    made = xenbind("generate", "--tree", tree, "--out", out)
    assert made.returncode == 0, made.stderr
    program = (
        "import odd\n"
        "for name in odd.HEADERS: odd.header(name)\n"
        "odd.raw(odd.header('header.h').s4())\n"
        "print(*odd.HEADERS.values())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    assert ran.stdout.split() == [
        "odd.__init___",
        "odd.header_",
        "odd.in_.__init___",
        "odd.macros_.a",
        "odd.raw_.a",
        "odd.runtime_.records",
    ]


def test_names_of_every_trees_package_are_no_headers(package: ModuleType) -> None:
    own = {*package.__all__} | {*package._ELSEWHERE}
    assert [name for name in own if not is_own_name(name)] == []


PAGES = {
    "words.h": (
        "#ifndef WORDS\n#define WORDS\n"
        "struct bell { unsigned int in_cons, in_prod; };\n"
        "struct bell_event { unsigned char type; unsigned char rest[7]; };\n"
        "#endif\n"
    ),
    "bell.h": (
        '#include "words.h"\n'
        "#define BELL_IN_RING_REF(page, idx) \\\n"
        "    (((struct bell_event *)((char *)(page) + 1024))[(idx) % 100])\n"
    ),
    "user.h": '#include "bell.h"\nstruct user { struct bell_event last; };\n',
}
SPEC = (
    '[interface]\nname = "bells"\nheaders = ["*.h"]\n'
    '[event_ring.BELL_IN_RING_REF]\npage = "struct bell"\n'
)


def test_the_page_and_the_events_can_be_another_headers(tmp_path: Path) -> None:
    tree = write(tmp_path / "bells", PAGES | {"tree.toml": SPEC})
    made = xenbind("generate", *options(tree, tmp_path / "out"), "--tree", tree)
    assert made.returncode == 0, made.stderr
    assert imported(tmp_path / "out", "bells.bell", "bells.words") == ""
    text = (tmp_path / "out" / "bells" / "bell.py").read_text()
    assert "class FrontEventPage(TakesEvents[bell_event]):" in text


def test_what_the_spec_says_wrong_is_an_error_in_a_tree(tmp_path: Path) -> None:
    said = f'{SPEC}consumer = "in_kons"\n'
    tree = write(tmp_path / "bells", PAGES | {"tree.toml": said})
    made = xenbind("generate", *options(tree, tmp_path / "out"), "--tree", tree)
    assert made.returncode == 1
    assert "tree.toml:6:1: error: struct bell has no 'in_kons'" in made.stderr


def test_a_module_hides_no_type_of_the_header_around_it(tmp_path: Path) -> None:
    files = {
        "all.h": "#ifndef ALL\n#define ALL\nstruct types { int i; };\n#endif\n",
        "all/types.h": "struct inner { int i; };\n",
        "user.h": '#include "all.h"\nstruct user { struct types t; };\n',
    }
    tree, out = write(tmp_path / "hiding", files), tmp_path / "out"
    made = xenbind("generate", "--tree", tree, "--out", out)
    assert made.returncode == 0, made.stderr
    program = "import hiding.all.types, hiding.user as m; print(m.user())"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("user(t=types_(i=0))\n", "")


def test_a_header_whose_name_is_no_text_is_left_out(tmp_path: Path) -> None:
    tree = write(tmp_path / "names", {"a.h": "struct a { int i; };\n"})
    try:
        Path(os.fsdecode(os.fsencode(tree) + b"/\xff.h")).write_text("struct b;\n")
    except OSError:
        pytest.skip("the file system has names in UTF-8 alone")
    made = xenbind("generate", "--tree", tree, "--out", tmp_path / "out")
    assert made.returncode == 0, made.stderr
    assert "the name of a tree's header must be text in UTF-8" in made.stderr


def test_links_that_lead_nowhere_and_pipes_are_left_out(tmp_path: Path) -> None:
    tree = write(tmp_path / "odd", {"a.h": "struct a { int i; };\n"})
    (tree / "link.h").symlink_to("nowhere.h")
    (tree / "folder.h").mkdir()
    os.mkfifo(tree / "pipe.h")
    made = xenbind("generate", "--tree", tree, "--out", tmp_path / "out")
    assert made.returncode == 0, made.stderr
    assert made.stderr.splitlines() == [
        f"{tree}/link.h:1:1: note: link.h is left out: no such header",
        f"{tree}/pipe.h:1:1: note: pipe.h is left out: not a regular file",
    ]


def test_an_enum_that_macros_make_another_keeps_its_constants(tmp_path: Path) -> None:
    files = {
        "var.h": "#ifndef VAR\n#define VAR 3\n#endif\nenum e { EA = VAR, EB };\n",
        "own.h": '#define VAR 1\n#include "var.h"\nstruct own { enum e x; };\n',
    }
    tree, out = write(tmp_path / "varying", files), tmp_path / "out"
    made = xenbind("generate", "--tree", tree, "--out", out)
    assert made.returncode == 0, made.stderr
    program = "from varying import own, var; print(own.EA, own.E.EB, var.EA)"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout, ran.stderr) == ("1 2 3\n", "")


def test_a_struct_that_a_typedef_alone_names_is_in_one_module(tmp_path: Path) -> None:
    files = {
        "named.h": "typedef struct { struct { int b; } c; } named_t;\n",
        "user.h": '#include "named.h"\nstruct user { named_t n; };\n',
    }
    tree, out = write(tmp_path / "tagless", files), tmp_path / "out"
    made = xenbind("generate", "--tree", tree, "--out", out)
    assert made.returncode == 0, made.stderr
    text = (out / "tagless" / "user.py").read_text()
    assert "\nfrom .named import named_t\n" in text
    assert "class named_t" not in text
    result = own_tests(out)
    assert result.returncode == 0, result.stdout


def test_a_nameless_struct_is_where_the_one_around_it_is(tmp_path: Path) -> None:
    files = {
        "size.h": (
            "#ifndef SIZE\n#define SIZE 1\n#endif\n"
            "typedef struct { int k[SIZE]; struct { int b; } c; } sized_t;\n"
        ),
        "two.h": '#define SIZE 2\n#include "size.h"\nstruct two { sized_t s; };\n',
    }
    tree, out = write(tmp_path / "nameless", files), tmp_path / "out"
    made = xenbind("generate", "--tree", tree, "--out", out)
    assert made.returncode == 0, made.stderr
    result = own_tests(out)
    assert result.returncode == 0, result.stdout


def test_what_the_spec_names_and_no_header_has_is_told(tmp_path: Path) -> None:
    files = {
        "one.h": "#define ONE 1\nstruct command { int cmd; union { int a; } u; };\n",
        "spec.toml": (
            '[interface]\nname = "told"\nheaders = ["*.h", "*.hh"]\n'
            'without = ["old.h"]\nskip = ["TWO"]\n'
            '[headers."oen.h"]\nneeds = ["stdint.h"]\n'
            '[headers."one.h"]\nskip = ["ONE", "THREE"]\n'
            '[[payload]]\nrecord = "struct comand"\ntag = "cmd"\nunion = "u"\n'
            'prefix = "CMD_"\n'
            '[names]\nTWO_ = "Twos"\n'
        ),
    }
    tree, out = write(tmp_path / "told", files), tmp_path / "out"
    options = ("--tree", tree, "--spec", tree / "spec.toml", "--out", out)
    made = xenbind("generate", *options)
    assert made.returncode == 0, made.stderr
    notes = [line.removeprefix(f"{tree}/") for line in made.stderr.splitlines()]
    assert [note.partition("; ")[0] for note in notes] == [
        "spec.toml:3:19: note: no header of told is one of *.hh",
        "spec.toml:4:12: note: no header of told is one of old.h",
        "spec.toml:6:2: note: no header of told is one of oen.h",
        "spec.toml:16:1: note: no header of told has a group of constants TWO_*",
        "spec.toml:5:9: note: no header of told has a macro TWO",
        "spec.toml:9:16: note: no header of told has a macro THREE",
        "spec.toml:11:1: note: no header of told has a record 'struct comand'",
    ]
    assert notes[-1].endswith("; did you mean struct command?")
    listed = json.loads(xenbind("generate", *options, "--json").stdout)["unmatched"]
    assert [each["line"] for each in listed] == [3, 4, 6, 16, 5, 9, 11]
    strict = xenbind("generate", *options, "--strict")
    assert strict.returncode == 1
    assert "spec.toml:11:1: error: no header of told has a record" in strict.stderr


def test_odd_names_of_headers_are_told_on_one_line(tmp_path: Path) -> None:
    files = {"a|b.h": "struct ab { int i; };\n", "new\nline\x1b[31m.h": "struct x;\n"}
    tree, out = write(tmp_path / "odd", files), tmp_path / "out"
    made = xenbind("generate", "--tree", tree, "--out", out)
    assert made.returncode == 0, made.stderr
    (note,) = made.stderr.splitlines()
    assert (
        "new\N{REPLACEMENT CHARACTER}line\N{REPLACEMENT CHARACTER}[31m.h is left"
        in note
    )
    assert "\n| a\\|b.h | `odd.a_b` | 1 |" in (out / "README.md").read_text()


def test_a_typedef_that_repeats_anothers_struct_has_it(tmp_path: Path) -> None:
    files = {
        "point.h": "#ifndef POINT\n#define POINT\nstruct point { int x; };\n#endif\n",
        "user.h": '#include "point.h"\ntypedef struct point point;\n#define USED 1\n',
        "other.h": '#include "point.h"\nstruct other { int i; };\n',
    }
    tree, out = write(tmp_path / "points", files), tmp_path / "out"
    made = xenbind("generate", "--tree", tree, "--out", out)
    assert made.returncode == 0, made.stderr
    program = (
        "from points import other, point, user\n"
        "assert user.point is point.point\n"
        "assert not hasattr(other, 'point')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""
    result = own_tests(out)
    assert result.returncode == 0, result.stdout
    checked = subprocess.run(
        [
            sys.executable,
            "-m",
            "mypy",
            "--strict",
            "-c",
            "from points.user import point",
        ],
        cwd=out,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_translated_functions_are_as_they_would_be_written(xen_tree: XenTree) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--select", "RET,SIM", "."]
    found = subprocess.run(
        command, cwd=xen_tree.out, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout

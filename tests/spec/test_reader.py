"""What a spec may hold: each key at its line, whatever it holds; beside tests/errors."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support import PROJECT, SPEC, TINY, tree, xenbind
from xenbind import spec as specs
from xenbind.errors import SourceError, XenbindError
from xenbind.spec import Spec, rules

LINES = {
    "name": '"pairs"',
    "package": '"xen_pairs"',
    "header": '"vm_event.h"',
    "version_macro": '"VM_EVENT_INTERFACE_VERSION"',
    "defines": '["__XEN_TOOLS__", "BITS=64", "F(x)=((x) + 1)", "EMPTY="]',
    "needs": '["stdint.h", "sys/types.h"]',
}
NUL = "\\u0000"
# What is in no way a name or a path, however it is taken.
NEVER = ['""', f'"a{NUL}"', '"a\\n"', "'a\"'", "'a\\'", '"\\u202e"', '"\\u2028"']
NAMES = [*NEVER, '"-x"', '"a;b"', '"{x}"', '" a"', '"a "', f'"{"a" * 300}"']
C_NAMES = [*NAMES, '"a b"', '"1a"', '"a-b"', '"é"']
PATHS = [*NEVER, '"/etc/x.h"', '"../x.h"', '"a/../../x.h"', '"-x.h"', '"a/-x.h"']
PATHS += ['"@x.h"', f'"{"a/" * 200}x.h"']
PACKAGES = [*C_NAMES, '"class"', '"None"', '"os"', '"_thread"', '"xenbind"', '"tests"']
PACKAGES += ['"a.b"', '"_a"', '"a_"', '"numpy"', '"ﬁ"', '"sitecustomize"']


def load(folder: Path, text: str) -> Spec:
    path = folder / "spec.toml"
    path.write_bytes(text.encode())
    return specs.load(path)


def refused(folder: Path, text: str) -> str:
    """The line and column at which a spec is refused."""
    with pytest.raises(SourceError) as raised:
        load(folder, text)
    assert raised.value.advice
    return f"{raised.value.coord.line}:{raised.value.coord.column}"


def interface(**changed: str) -> str:
    lines = LINES | changed
    return "[interface]\n" + "".join(f"{key} = {v}\n" for key, v in lines.items())


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("name", NAMES),
        ("package", PACKAGES),
        ("header", [*PATHS, '"."', '"a/"']),
        ("version_macro", C_NAMES),
    ],
)
def test_a_text_is_refused_at_its_key(
    key: str, values: list[str], tmp_path: Path
) -> None:
    line = 2 + list(LINES).index(key)
    for value in values:
        assert refused(tmp_path, interface(**{key: value})) == f"{line}:1", value


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("defines", [*NEVER, '"-x"', '"1=2"', '"A B"', '"A=\\n-x"', '"=1"']),
        ("needs", PATHS),
        ("skip", C_NAMES),
        ("flags", [*C_NAMES, '"enum a b"', '"struct a"']),
        ("values", C_NAMES),
    ],
)
def test_a_text_is_refused_at_its_entry_of_a_list(
    key: str, values: list[str], tmp_path: Path
) -> None:
    for value in values:
        text = f'[interface]\n{key} = [\n  "good",\n  {value},\n]\n'
        text += "".join(f"{k} = {v}\n" for k, v in LINES.items() if k != key)
        assert refused(tmp_path, text) == "4:3", value


@pytest.mark.parametrize(
    ("section", "place"),
    [
        *((f'[names]\nKIND_ = {v}\n"b" = "B"\n', "10:1") for v in C_NAMES),
        *((f'[names]\nA_ = "A"\n{v} = "B"\n', "11:1") for v in C_NAMES),
        ('[names]\nKIND_ = "class"\n', "10:1"),
        ('[names]\nKIND_ = ["A"]\n', "10:1"),
        ('[[names]]\nKIND_ = "A"\n', "9:3"),
        *((f"[ring.{v}]\nkeep = []\n", "9:2") for v in C_NAMES),
        ("[ring.a]\nkeep = []\n[ring.b]\nkeep = [\n'a b']\n", "13:1"),
        ("[ring.a]\nflags = 'a'\n[ring.b]\nflags = 'a.b'\n", "12:1"),
        ("[[ring]]\n", "9:3"),
        ("ring.a.flags = 'b'\n", "9:1"),
        ("[payload]\nrecord = 'struct a'\n", "9:2"),
        ("[payload.members]\nA = 'b'\n[payload]\nrecord = 'a b'\n", "12:1"),
        ("[[payload]]\nrecord = 'struct a'\n", "9:3"),
        ("[[version]]\nnumber = 1\ndirectory = 'a'\n" * 2, "13:1"),
        (
            "[[version]]\nnumber = 1\ndirectory = 'a'\n[[version]]\nnumber = 2\n"
            "directory = '/a'\n",
            "14:1",
        ),
        ("[[version]]\nnumber = 1\ndirectory = 'a'\n[[version]]\nnumber = 2\n", "12:3"),
        ("[[version]]\nnumber = true\ndirectory = 'a'\n", "10:1"),
        ("[[version]]\nnumber = 1.0\ndirectory = 'a'\n", "10:1"),
        ("[[version]]\nnumber = 0xFFFFFFFFFFFFFFFF\ndirectory = 'a'\n", "10:1"),
        (
            "[[version]]\nnumber = 1\ndirectory = 'a'\nreleases = [\n'4.1',\n'4.1']\n",
            "14:1",
        ),
        ("[[version]]\nnumber = 1\ndirectory = 'a'\nreleases = ['4.1.1']\n", "12:13"),
        (
            "[[version]]\nnumber = 1\ndirectory = 'a'\nreleases = ['\\u0664.1']\n",
            "12:13",
        ),
        ("[[version]]\nnumber = 1\ndirectory = 'a'\nreleases = {}\n", "12:1"),
        ("[version.a]\n", "9:2"),
        ("[interface.name]\n", "9:16"),
    ],
)
def test_a_section_is_refused_at_its_line(
    section: str, place: str, tmp_path: Path
) -> None:
    assert refused(tmp_path, f"{interface()}\n{section}") == place


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "\n# nothing\n",
            "\ufeff[interface]\n",
            "interface = 1",
            "interface = []",
        ),
        *(
            "[[interface]]\n",
            "version = 1",
            "version = [1]",
            "names = 1",
            "payload = ''",
        ),
        *("[" * 5000, "a = " + "[" * 5000, "a = " + "[\n" * 5000, "9" * 5000),
        *("a = " + "9" * 5000, "a = 1\r[b]", "a = 1979-13-99", "a = '\x00'", "\x00"),
    ],
)
def test_what_is_no_spec_at_all(text: str, tmp_path: Path) -> None:
    refused(tmp_path, text)


def test_other_ways_to_write_the_same(tmp_path: Path) -> None:
    plain = f"{interface()}\n[[version]]\nnumber = 1\ndirectory = 'v1'\n"
    wanted = load(tmp_path, plain)
    crlf = load(tmp_path, plain.replace("\n", "\r\n"))
    pairs = ", ".join(f"{key} = {value}" for key, value in LINES.items())
    inline = load(
        tmp_path,
        f"version = [{{ number = 1, directory = 'v1' }}]\n'interface' = {{ {pairs} }}\n",
    )
    for other in (crlf, inline):
        assert (other.name, other.defines) == (wanted.name, wanted.defines)
        assert other.versions == wanted.versions


@pytest.mark.parametrize("name", ["/dev/null", "/", "\0", "x" * 5000, "no/such.toml"])
def test_what_is_no_file(name: str) -> None:
    with pytest.raises(XenbindError, match="cannot read the spec"):
        specs.load(Path(name))


def test_a_file_of_any_size_or_encoding(tmp_path: Path) -> None:
    path = tmp_path / "spec.toml"
    for data in (b"#" * (1 << 20), b"[interface]\nname = '\xff'"):
        path.write_bytes(data)
        with pytest.raises(XenbindError, match=r"larger than 256 KB|not UTF-8"):
            specs.load(path)


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        *(("my-proto", "my_proto"), ("_proto_", "proto"), ("a b.c", "a_b_c")),
        *(("class", "class_bindings"), ("json", "json_bindings")),
        *(("é", "pairs_bindings"), ("_", "pairs_bindings")),
    ],
)
def test_a_package_that_may_be_called_so(text: str, instead: str) -> None:
    assert rules.fault_of_package(text)
    assert rules.package_like(text, "pairs") == instead
    assert not rules.fault_of_package(instead)


def test_what_is_beside_a_package_is_no_name_for_one() -> None:
    generated = PROJECT / "generated"
    beside = {path.name for path in generated.iterdir() if path.is_dir()}
    beside |= {path.stem for path in (generated / "tests").glob("*.py")}
    beside |= set(sys.stdlib_module_names)
    for name in beside - {"xen_vm_event"}:
        if not name.startswith(("_", ".")):
            assert rules.fault_of_package(name), name


def test_each_version_has_its_folder(tmp_path: Path) -> None:
    tree(tmp_path / "v1")
    (tmp_path / "v2").mkdir()
    spec = tmp_path / "spec.toml"
    for folder, said in (("v3", "there is no folder"), ("v2", "v2 has no vm_event.h")):
        spec.write_text(
            f"{interface()}\n[[version]]\nnumber = 1\ndirectory = 'v1'\n"
            f"[[version]]\nnumber = 2\ndirectory = '{folder}'\n"
        )
        made = xenbind("generate", "--spec", spec, "--out", tmp_path / "out")
        assert made.returncode == 1
        assert made.stderr.startswith(f"{spec}:14:1: error: ")
        assert said in made.stderr


def test_another_tree_may_lack_what_a_spec_names(tmp_path: Path) -> None:
    """xenbind's own spec has versions, and a payload that this header has not."""
    out = tmp_path / "out"
    made = xenbind(
        "generate",
        "--spec",
        SPEC,
        "--include",
        tree(tmp_path / "a", TINY),
        "--out",
        out,
    )
    assert made.returncode == 0, made.stderr


def test_names_that_modules_use_themselves(tmp_path: Path) -> None:
    """A group may have any Python name: what it would hide is kept from it."""
    taken = "int type print property Final Structure OpenEnum record match macros Any _"
    names = taken.split()
    header = TINY + "".join(
        f"#define GROUP_{i}_A 1\n#define GROUP_{i}_B 2\n" for i in range(len(names))
    )
    folder = tree(tmp_path / "headers", header)
    spec = tmp_path / "spec.toml"
    rows = "".join(f'GROUP_{i}_ = "{name}"\n' for i, name in enumerate(names))
    spec.write_text(f"{interface()}\n[names]\n{rows}")
    arguments = ("--spec", spec, "--include", folder, "--out", tmp_path / "out")
    made = xenbind("generate", *arguments)
    assert made.returncode == 0, made.stderr
    held = xenbind("verify", *arguments)
    assert held.returncode == 0, held.stdout + held.stderr


@pytest.mark.parametrize(
    ("name", "is_one"),
    [("EACCES", True), ("EOPNOTSUPP", True), ("ENOTHING", False), ("errorcode", False)],
)
def test_errors_have_every_name_that_errno_has(name: str, is_one: bool) -> None:
    """Of several for one number, too."""
    assert rules.ERRNO.allows(name) == is_one


def test_a_header_that_is_nowhere_is_told_at_its_key(tmp_path: Path) -> None:
    tree(tmp_path)
    path = tmp_path / "spec.toml"
    for name, advice in (("vm_evnt.h", "did you mean vm_event.h?"), ("x.h", "correct")):
        path.write_text(f'[interface]\nname = "a"\npackage = "a"\nheader = "{name}"\n')
        made = xenbind("generate", "--spec", path, "--out", tmp_path / "out")
        assert made.returncode == 1
        assert f"{path}:4:1: error: there is no {name} beside the spec" in made.stderr
        assert f"  help: {advice}" in made.stderr

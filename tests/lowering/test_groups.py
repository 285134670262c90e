"""Which constants make an enum: by hint, by the spec, by their names."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import tree
from xenbind import pipeline, spec
from xenbind.ir.interface import ConstantGroup

SPEC = """\
[interface]
name = "test"
package = "xen_test"
header = "vm_event.h"
needs = ["stdint.h"]
"""


def groups(
    folder: Path,
    text: str,
    extra: str = "",
    interface: str = "",
    version: str = "VERSION",
) -> dict[str, ConstantGroup]:
    """The groups of a header, by name; `interface` are further lines of that section."""
    blank = "\n" if version == "VERSION" else ""
    header = f"#define {version} 1\n{blank}{text}\nstruct pair {{ uint32_t first; }};\n"
    path = tree(folder / "headers", header) / "spec.toml"
    path.write_text(f'{SPEC}version_macro = "{version}"\n{interface}{extra}')
    loaded = spec.load(path).for_tree(path.parent)
    read = pipeline.read(loaded, loaded.versions[0], ("gcc",))
    return {group.name: group for group in read.groups}


def names(group: ConstantGroup) -> list[str]:
    return [constant.name for constant in group.members]


def test_a_hint_gathers_what_bears_its_prefix(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "#define PAIR_KIND_A 1\nstruct other { uint8_t kind; /* PAIR_KIND_* */ };\n"
        "#define PAIR_KIND_B 2\n",
    )
    assert names(found["PairKind"]) == ["PAIR_KIND_A", "PAIR_KIND_B"]


def test_the_spec_gives_a_prefix_its_name(tmp_path: Path) -> None:
    found = groups(
        tmp_path, "#define PAIR_A 1\n#define PAIR_B 1\n", '[names]\nPAIR_ = "Couple"\n'
    )
    assert names(found["Couple"]) == ["PAIR_A", "PAIR_B"]


def test_neighbours_with_a_prefix_are_a_group(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "#define PAIR_KIND_A 1\n/* a comment */\n\n#define PAIR_KIND_B 2\n#define ALONE 3\n",
    )
    assert {name: names(group) for name, group in found.items()} == {
        "PairKind": ["PAIR_KIND_A", "PAIR_KIND_B"]
    }


def test_a_declaration_between_them_parts_neighbours(tmp_path: Path) -> None:
    found = groups(
        tmp_path, "#define PAIR_KIND_A 1\nstruct other;\n#define PAIR_KIND_B 2\n"
    )
    assert found == {}


def test_equal_values_part_a_run(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "#define PAIR_KIND_A 0\n#define PAIR_KIND_B 1\n"
        "#define PAIR_SIDE_L 0\n#define PAIR_SIDE_R 1\n",
    )
    assert {name: names(group) for name, group in found.items()} == {
        "PairKind": ["PAIR_KIND_A", "PAIR_KIND_B"],
        "PairSide": ["PAIR_SIDE_L", "PAIR_SIDE_R"],
    }


@pytest.mark.parametrize(
    ("values", "is_flag"),
    [
        (("(1 << 0)", "(1 << 1)"), True),
        (("1 << 0", "1u << 4", "(PAIR_KIND_0 | PAIR_KIND_1)"), True),
        (("0x1", "0x2", "0x4"), True),
        (("0x1", "0x2"), False),
        (("1", "2", "4"), True),
        (("0", "1", "2", "4", "6"), True),
        (("1", "2"), False),
        (("1", "2", "3", "4"), False),
        (("1", "2", "3", "4", "8"), False),
        (("1", "2", "4", "5", "7", "9", "10", "11", "15", "8"), False),
        (("1", "2", "4", "8", "15"), True),
        (("1", "2", "4", "3"), False),
        (("0x0", "0x1", "0x2"), False),
        (("(1 << 0)", "3"), False),
        (("0", "1", "2"), False),
        (("-1", "1 << 1"), False),
        (("1", "2", "PAIR_KIND_0 | PAIR_KIND_1"), True),
        (("1", "2", "4", "(PAIR_KIND_0|PAIR_KIND_1)"), True),
        (("0", "1", "2", "(PAIR_KIND_1) | (PAIR_KIND_2)"), True),
        (("1", "2", "(PAIR_KIND_1 | OTHER)"), True),
        (("1", "6", "PAIR_KIND_0 | PAIR_KIND_1"), False),
        (("1", "2", "OTHER | 3"), False),
        (("BIT(0)", "BIT(1)"), True),
        (("NEXT(0)", "NEXT(1)", "NEXT(2)"), False),
        (("0x1 << 4", "0x1 << 5"), True),
        (("1 << 4", "2 << 4", "3 << 4"), False),
    ],
)
def test_flags_are_bits_however_they_are_written(
    values: tuple[str, ...], is_flag: bool, tmp_path: Path
) -> None:
    text = "#define BIT(n) (1u << (n))\n#define NEXT(n) ((n) + 1)\n#define OTHER 64\n\n"
    text += "".join(
        f"#define PAIR_KIND_{i} {value}\n" for i, value in enumerate(values)
    )
    assert groups(tmp_path, text)["PairKind"].is_flag is is_flag


def test_words_for_a_group(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "/* A section. */\n\n/* One. */\n#define PAIR_KIND_A 0\n/* Two. */\n"
        "#define PAIR_KIND_B 1\n\nstruct other;\n"
        "/* For them all. */\n#define PAIR_SIDE_L 0\n#define PAIR_SIDE_R 1\n",
    )
    assert found["PairKind"].doc == "A section."
    assert [member.doc for member in found["PairKind"].members] == ["One.", "Two."]
    assert found["PairSide"].doc == "For them all."
    assert [member.doc for member in found["PairSide"].members] == ["", ""]


ENUMS = """\
/* How loud it is. */
enum level { LEVEL_LOW, LEVEL_MID = 5, LEVEL_HIGH };
typedef enum { SHAPE_ROUND = 1 << 0, SHAPE_FLAT = 1 << 1 } shape_t;
enum mixed { ALPHA, BETA };
struct ask { enum level level; shape_t shape; enum mixed mixed; };
"""


def test_an_enum_of_c_is_a_group(tmp_path: Path) -> None:
    found = groups(tmp_path, ENUMS)
    assert {name: group.is_flag for name, group in found.items()} == {
        "Level": False,
        "Mixed": False,
        "Shape": True,
    }
    level = found["Level"]
    assert (level.prefix, level.doc) == ("LEVEL_", "How loud it is.")
    assert [member.value for member in level.members] == [0, 5, 6]


def test_a_member_of_an_enum_s_type_holds_its_values(tmp_path: Path) -> None:
    path = tree(tmp_path / "headers", f"#define VERSION 1\n{ENUMS}") / "spec.toml"
    path.write_text(f'{SPEC}version_macro = "VERSION"\n')
    loaded = spec.load(path).for_tree(path.parent)
    interface = pipeline.read(loaded, loaded.versions[0], ("gcc",))
    (ask,) = interface.records
    of = interface.groups_by_hint
    assert [of[f.hint or ""].name for f in ask.fields] == ["Level", "Shape", "Mixed"]


def test_enums_are_told_apart_by_their_tags(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "enum mode { CFG_OFF, CFG_ON }; enum level { CFG_LOW = 1, CFG_HIGH };\n"
        "enum colour { RED, GREEN }; typedef enum { Round, Flat } shape_t;\n"
        "enum { LIMIT = 4 }; typedef enum { Lone = 1 } lone_t;\n",
    )
    assert {name: list(group.members_by_name) for name, group in found.items()} == {
        "Mode": ["OFF", "ON"],
        "Level": ["LOW", "HIGH"],
        "Colour": ["RED", "GREEN"],
        "ShapeT": ["Round", "Flat"],
    }


def test_the_spec_names_an_enum_by_its_tag(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "enum mode { CFG_OFF, CFG_ON }; enum level { CFG_LOW = 1, CFG_HIGH };\n",
        '[names]\n"enum level" = "Loudness"\nCFG_ = "Config"\n',
    )
    assert set(found) == {"Config", "Loudness"}


def test_an_included_enum_that_a_member_has_is_a_group(tmp_path: Path) -> None:
    (tmp_path / "headers").mkdir()
    (tmp_path / "headers" / "kinds.h").write_text(
        "enum used { USED_A = 3, USED_B };\nenum unused { UNUSED_A, UNUSED_B };\n"
    )
    found = groups(tmp_path, '#include "kinds.h"\nstruct holder { enum used used; };\n')
    assert {name: names(group) for name, group in found.items()} == {
        "Used": ["USED_A", "USED_B"]
    }


def test_the_version_joins_no_group(tmp_path: Path) -> None:
    found = groups(
        tmp_path, "#define VM_PAIR_A 2\n#define VM_PAIR_B 3\n", version="VM_PAIR_V"
    )
    assert {name: names(group) for name, group in found.items()} == {
        "VmPair": ["VM_PAIR_A", "VM_PAIR_B"]
    }


@pytest.mark.parametrize(
    ("key", "name", "body", "is_flag"),
    [
        ("flags", "E_", "enum e { E_A = 1, E_B = 2 };", True),
        ("flags", "enum e", "enum e { E_A = 1, E_B = 2 };", True),
        ("values", "E_", "enum e { E_A = 1, E_B = 2, E_C = 4 };", False),
        ("values", "enum e", "enum e { E_A = 1, E_B = 2, E_C = 4 };", False),
        ("flags", "E_E_", "#define E_E_A 1\n#define E_E_B 2\n", True),
        ("values", "E_E_", "#define E_E_A (1 << 1)\n#define E_E_B (1 << 2)\n", False),
    ],
)
def test_the_spec_says_what_are_flags(
    key: str, name: str, body: str, is_flag: bool, tmp_path: Path
) -> None:
    found = groups(tmp_path, body, interface=f'{key} = ["{name}"]\n')
    assert [group.is_flag for group in found.values()] == [is_flag]


def test_enumerators_that_are_ors_of_others_make_flags(tmp_path: Path) -> None:
    found = groups(
        tmp_path, "enum way { WAY_NONE, WAY_IN, WAY_OUT, WAY_BOTH = WAY_IN | WAY_OUT };"
    )
    assert found["Way"].is_flag


@pytest.mark.parametrize("key", ["flags", "values"])
def test_a_prefix_that_the_spec_lists_makes_a_group(key: str, tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "#define OPEN_R (1 << 0)\n#define OPEN_W (1 << 1)\n",
        '[names]\nOPEN_ = "How"\n',
        f'{key} = ["OPEN_"]\n',
    )
    assert names(found["How"]) == ["OPEN_R", "OPEN_W"]
    assert found["How"].is_flag is (key == "flags")


def test_constants_that_take_turns_are_no_group(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "#define CAN_EFF_FLAG 0x80\n#define CAN_ERR_FLAG 0x20\n"
        "#define CAN_EFF_MASK 0x1F\n#define CAN_ERR_MASK 0x3F\n",
    )
    assert found == {}


@pytest.mark.parametrize(
    ("before", "behind", "found_one"),
    [
        ("PAIR_ONE (1 << 0)", "PAIR_FOUR (1 << 5)", False),
        ("PAIR_ONE (1 << 5)", "PAIR_FOUR (1 << 3)", False),
        ("PAIR_ONE (1 << 5)", "PAIR_FOUR (1 << 6)", True),
        ("PAIR_ONE 1", "OTHER (1 << 3)", True),
    ],
)
def test_bits_that_go_on_around_them_are_no_group(
    before: str, behind: str, found_one: bool, tmp_path: Path
) -> None:
    found = groups(
        tmp_path,
        f"#define {before}\n#define PAIR_KIND_A (1 << 1)\n"
        f"#define PAIR_KIND_B (1 << 2)\n#define {behind}\n",
    )
    assert list(found) == ["PairKind"] * found_one


def test_a_run_that_repeats_values_does_not_join_the_one_before(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "#define PAIR_KIND_A 0\n#define PAIR_KIND_B 1\nstruct other;\n"
        "#define PAIR_KIND_C 2\n#define PAIR_KIND_D 3\nstruct another;\n"
        "#define PAIR_KIND_E 0\n#define PAIR_KIND_F 1\n",
    )
    assert names(found["PairKind"]) == [f"PAIR_KIND_{letter}" for letter in "ABCD"]


def test_a_heading_is_of_the_group_that_it_stands_above(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "/* The header. */\n\n/* Kinds. */\n#define PAIR_KIND_A 0 /* One. */\n"
        "#define PAIR_KIND_B 1 /* Two. */\n",
    )
    assert found["PairKind"].doc == "Kinds."
    assert [member.doc for member in found["PairKind"].members] == ["One.", "Two."]


def test_words_above_each_are_no_heading(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "/* One. */\n#define PAIR_KIND_A 0 /* In. */\n"
        "/* Two. */\n#define PAIR_KIND_B 1 /* In. */\n",
    )
    assert found["PairKind"].doc == ""
    assert found["PairKind"].members[0].doc == "One.\n\nIn."


def test_what_is_called_a_flag_is_one(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "#define LIST_FLAG_HAS 1\n#define LIST_FLAG_LACKS 2\nstruct other;\n"
        "#define LIST_FLAGS_A 1\n#define LIST_FLAGS_B 2\n#define LIST_FLAGS_C 3\n",
    )
    assert {name: group.is_flag for name, group in found.items()} == {
        "ListFlag": True,
        "ListFlags": False,
    }


def test_an_included_enum_has_no_words_of_this_header(tmp_path: Path) -> None:
    (tmp_path / "headers").mkdir()
    (tmp_path / "headers" / "kinds.h").write_text(
        "\n\n\n\n\n#define BEFORE 1\n\nenum used { USED_A = 3, USED_B };\n"
    )
    found = groups(
        tmp_path,
        '#include "kinds.h"\nstruct holder { enum used used; };\n\n\n\n'
        "/* Of one. */\n#define ONE 1\n",
    )
    assert (found["Used"].doc, found["Used"].members[0].doc) == ("", "")


def test_the_words_on_an_enumerator_stay_there(tmp_path: Path) -> None:
    found = groups(
        tmp_path, "/* Kinds. */\nenum kind {\n/* One. */\nKIND_A,\nKIND_B\n};\n"
    )
    assert (found["Kind"].doc, found["Kind"].members[0].doc) == ("Kinds.", "One.")


def test_what_a_comment_says_of_enumerators_is_theirs(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "/**\n * enum kind - kinds\n * @KIND_A: one\n * @KIND_B: two\n */\n"
        "enum kind { KIND_A, KIND_B };\n",
    )
    assert found["Kind"].doc == "enum kind - kinds"
    assert [member.doc for member in found["Kind"].members] == ["one", "two"]


def test_no_two_groups_have_one_name(tmp_path: Path) -> None:
    found = groups(
        tmp_path,
        "enum vm_op { CALL_A, CALL_B };\nstruct VmKind { int a; };\n"
        "#define VM_OP_X 0x1u << 0\n#define VM_OP_Y 2\nstruct other;\n"
        "#define VM_KIND_X 1\n#define VM_KIND_Y 2\n",
    )
    assert set(found) == {"VmOp", "VmOpFlags", "VmKindValues"}


def test_the_third_of_one_name_is_numbered(tmp_path: Path) -> None:
    text = "".join(f"enum {{ VM_{a}, VM_{a}{a} }};\n" for a in "ABCD")
    assert list(groups(tmp_path, text)) == ["Vm", "VmValues", "Vm2", "Vm3"]


def test_a_member_of_a_group_has_a_public_name(tmp_path: Path) -> None:
    found = groups(
        tmp_path, "enum digits { DIG_1 = 1, DIG__2, DIG_DIG_1, DIG_MANY };\n"
    )
    assert list(found["Digits"].members_by_name) == [
        "DIG_1",
        "DIG__2",
        "DIG_DIG_1",
        "MANY",
    ]


def test_an_included_enum_s_typedef_is_there(tmp_path: Path) -> None:
    folder = tree(
        tmp_path / "headers",
        '#include "kinds.h"\nstruct holder { op_t op; };\n',
        kinds="typedef enum { OP_READ, OP_WRITE } op_t;\n",
    )
    (folder / "spec.toml").write_text(SPEC)
    loaded = spec.load(folder / "spec.toml").for_tree(folder)
    interface = pipeline.read(loaded, loaded.versions[0], ("gcc",))
    assert [typedef.name for typedef in interface.scalar_typedefs] == ["op_t"]


def test_a_group_is_not_called_as_a_typedef_of_a_struct_is(tmp_path: Path) -> None:
    text = "typedef struct kinds PairKind;\ntypedef struct others OtherOne;\n"
    text += "typedef enum { PAIR_KIND_A, PAIR_KIND_B } pair_ways;\n"
    text += "#define OTHER_ONE_A 1\n#define OTHER_ONE_B 3\n"
    found = groups(tmp_path, text)
    assert names(found["PairWays"]) == ["PAIR_KIND_A", "PAIR_KIND_B"]
    assert names(found["OtherOneValues"]) == ["OTHER_ONE_A", "OTHER_ONE_B"]


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("GRegexCompileFlags", "GRegexCompileFlags"),
        ("httpState_kind", "HttpStateKind"),
        ("MODE_OF_x2", "ModeOfX2"),
    ],
)
def test_a_name_of_both_cases_keeps_its_capitals(
    tag: str, name: str, tmp_path: Path
) -> None:
    assert list(groups(tmp_path, f"enum {tag} {{ A, B }};")) == [name]


def test_a_guess_takes_no_name_that_the_header_or_the_spec_has(tmp_path: Path) -> None:
    text = "#define A 7\ntypedef unsigned Mode;\nenum a { A_X, A_Y };\n"
    text += "enum mode { M_X, M_Y };\nenum kind { K_X, K_Y };\nenum other { O_X };\n"
    found = groups(tmp_path, text, '[names]\n"enum other" = "Kind"\n')
    assert list(found) == ["AValues", "M", "K", "Kind"]

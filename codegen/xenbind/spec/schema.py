"""Which tables and keys a spec may have: of each the type, the rule for its texts, and words.

`reader` holds a file against it, and `reference` prints it for people.
"""

from __future__ import annotations

from collections.abc import Mapping

from xenbind.plain import Struct
from xenbind.spec import rules
from xenbind.spec.rules import Rule


class Key(Struct, frozen=True):
    """A key of a table: `kind` is its type, `rule` what each text in it may be.

    `example` is a value as TOML has it.  The texts of `package` and of tables have rules of
    their own.
    """

    kind: type
    rule: Rule | None
    meaning: str
    example: str
    is_required: bool = False


class Section(Struct, frozen=True):
    """A table of a spec, its heading as written; of `[names]` the user names the keys."""

    heading: str
    meaning: str
    keys: Mapping[str, Key]


SECTIONS: Mapping[str, Section] = {
    "interface": Section(
        "[interface]",
        "What the interface is, and how its header is read.",
        {
            "name": Key(
                str,
                rules.NAME,
                "What the interface is called where it is spoken of.",
                '"vm_event"',
                is_required=True,
            ),
            "package": Key(
                str,
                None,
                "The Python package to generate: an identifier that hides no module of"
                " Python's.",
                '"xen_vm_event"',
                is_required=True,
            ),
            "header": Key(
                str,
                rules.FILE,
                "The header, in a version's folder or in the tree that --include names; without"
                " either, in the spec's folder or one of `include`.",
                '"vm_event.h"',
                is_required=True,
            ),
            "version_macro": Key(
                str,
                rules.C_NAME,
                "The macro that holds the interface's version, if there is one.",
                '"VM_EVENT_INTERFACE_VERSION"',
            ),
            "defines": Key(
                list,
                rules.DEFINE,
                "Macros that are defined before the header is read.",
                '["__XEN_TOOLS__", "BITS=64"]',
            ),
            "needs": Key(
                list,
                rules.FILE,
                "Headers that the header expects to be included before it.",
                '["stdint.h", "xen.h"]',
            ),
            "include": Key(
                list,
                rules.SEARCHED,
                "Folders that are searched for headers too, after the header's own tree and"
                " the C library.",
                '["../common", "/opt/include"]',
            ),
            "libc": Key(
                str,
                rules.LIBC,
                "Whose C library the header is read with: 'system', the compiler's own, if this"
                " is not said; with 'own' the few declarations that come with xenbind, so that"
                " the package is the same on every machine.",
                '"own"',
            ),
            "flags": Key(
                list,
                rules.GROUP,
                "Prefixes of constants, or enums, that are bits of one word.",
                '["VM_EVENT_FLAG_", "enum mode"]',
            ),
            "values": Key(
                list,
                rules.GROUP,
                "Prefixes of constants, or enums, that are no bits, whatever they look like.",
                '["VM_EVENT_REASON_"]',
            ),
            "skip": Key(
                list,
                rules.C_NAME,
                "Macros that are no constants, and macros or functions of a ring that are not"
                " to be translated.",
                '["DEFINE_RING_TYPES"]',
            ),
            "libraries": Key(
                list,
                rules.SPEC,
                "Specs, beside this one, whose packages are made within this one's, such as"
                " those of the libraries that its users call. Of another header tree than the"
                " spec's own there are none.",
                '["tools/xenctrl.toml"]',
            ),
            "strict": Key(
                bool,
                None,
                "Whether it is an error that the header declares something that the package"
                " cannot have. Otherwise that is told, and left out with all that needs it. Of"
                " another header tree than the spec's own it is not asked.",
                "true",
            ),
            "license": Key(
                str,
                rules.LICENSE,
                "The package's licence, as SPDX writes it; its text is the file LICENSE beside"
                " the spec, if there is one.",
                '"MIT"',
            ),
            "url": Key(
                str,
                rules.URL,
                "The package's page on the web.",
                '"https://example.org/bindings"',
            ),
        },
    ),
    "version": Section(
        "[[version]]",
        "One for each version of the interface. A spec of one header needs none, nor does a header"
        " tree that --include names.",
        {
            "number": Key(
                int,
                None,
                "The version's number, from 0, as the header has it.",
                "7",
                is_required=True,
            ),
            "directory": Key(
                str,
                rules.FOLDER,
                "The folder of its header, beside the spec.",
                '"v7"',
                is_required=True,
            ),
            "releases": Key(
                list,
                rules.RELEASE,
                "The releases of Xen that speak it.",
                '["4.15", "4.16"]',
            ),
        },
    ),
    "names": Section(
        "[names]",
        "Python names for groups of constants: the keys are prefixes, or `enum` and a tag, as"
        ' in `VM_EVENT_FLAG_ = "EventFlag"` and `"enum mode" = "Mode"`.',
        {},
    ),
    "payload": Section(
        "[payload]",
        "Which member of a union another member of the record around it selects.",
        {
            "record": Key(
                str,
                rules.RECORD,
                "The record that has both.",
                '"struct vm_event_st"',
                is_required=True,
            ),
            "tag": Key(
                str,
                rules.C_NAME,
                "The member that tells.",
                '"reason"',
                is_required=True,
            ),
            "union": Key(
                str,
                rules.C_NAME,
                "The member that is the union.",
                '"u"',
                is_required=True,
            ),
            "prefix": Key(
                str,
                rules.C_NAME,
                "The prefix of the tag's values: what follows it is, in small letters, the"
                " member that the value selects.",
                '"VM_EVENT_REASON_"',
                is_required=True,
            ),
            "members": Key(
                dict,
                None,
                "The members that are called otherwise, by the rest of the constant's name.",
                '{ IO_INSTRUCTION = "io" }',
            ),
        },
    ),
    "ring": Section(
        "[ring.NAME]",
        "What a ring makes of its requests; NAME is what `DEFINE_RING_TYPES` is given.",
        {
            "flags": Key(
                str,
                rules.C_NAME,
                "The member of a request that `respond(flags=)` sets.",
                '"flags"',
            ),
            "keep": Key(
                list,
                rules.C_NAME,
                "The flags that an answer has if its request had them.",
                '["VM_EVENT_FLAG_VCPU_PAUSED"]',
            ),
            "version": Key(
                str,
                rules.C_NAME,
                "The member that has the interface's version; requests of another are refused."
                " It needs `version_macro`.",
                '"version"',
            ),
        },
    ),
    "functions": Section(
        "[functions]",
        "Whose library the functions are that the header declares. Without this table the"
        " package has none.",
        {
            "library": Key(
                str,
                rules.LIBRARY,
                "The library that has them, loaded at the first call; `{release}` in it is"
                " that of the Xen that runs, such as 4.17.",
                '"libxenevtchn.so.1"',
                is_required=True,
            ),
            "errors": Key(
                list,
                rules.FAILURE,
                "Which results say that errno has an error, which is raised as OSError:"
                " integers that are `negative`, pointers that are `null`, `false`.",
                '["negative", "null"]',
            ),
            "advice": Key(
                dict,
                None,
                "What to do about errors, by their names; it is told with them.",
                '{ EACCES = "run this as root in dom0" }',
            ),
            "match": Key(
                list,
                rules.C_NAME,
                "Prefixes of the functions that the library has, if not of all.",
                '["xenevtchn_"]',
            ),
            "skip": Key(
                list,
                rules.C_NAME,
                "Functions to leave out.",
                '["xtl_logv"]',
            ),
            "opaque": Key(
                list,
                rules.RECORD,
                "Structs that are to be handles although a header defines them, and no classes"
                " with members.",
                '["struct _IO_FILE"]',
            ),
        },
    ),
    "function": Section(
        "[function.NAME]",
        "What is to be known of one function.",
        {
            "errors": Key(
                str,
                rules.FAILURE_OR_NONE,
                "Which results say that errno has an error, if not as `[functions]` has it; of"
                " numbers `false` is 0.",
                '"none"',
            ),
            "advice": Key(
                str,
                rules.WORDS,
                "What to do about an error of this function, whichever it is.",
                '"only one program can open it at a time"',
            ),
        },
    ),
}

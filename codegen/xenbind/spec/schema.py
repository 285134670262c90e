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
    their own.  `of` is the kind of spec that has it, where not both have.
    """

    kind: type
    rule: Rule | None
    meaning: str
    example: str
    is_required: bool = False
    of: str = ""


class Section(Struct, frozen=True):
    """A table of a spec, its heading as written; of `[names]` the user names the keys.

    `of` is as in `Key`.
    """

    heading: str
    meaning: str
    keys: Mapping[str, Key]
    of: str = ""


# The kinds of specs.
ONE_HEADER, TREE = "one header", "a tree"


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
                " Python's. Of a tree it may be left out: then it is named after the folder.",
                '"xen_vm_event"',
            ),
            "header": Key(
                str,
                rules.FILE,
                "The header, in a version's folder or in the tree that --include names; without"
                " either, in the spec's folder or one of `include`.",
                '"vm_event.h"',
                of=ONE_HEADER,
            ),
            "headers": Key(
                list,
                rules.HEADERS,
                "Instead of one header those of a tree, each of which becomes a module of the"
                " package: names, where `*` and `?` stand for parts of one and `**` for folders.",
                '["**/*.h"]',
                of=TREE,
            ),
            "without": Key(
                list,
                rules.HEADERS,
                "Of the `headers` those that are to be left out.",
                '["foreign/*.h"]',
                of=TREE,
            ),
            "version_macro": Key(
                str,
                rules.C_NAME,
                "The macro that holds the interface's version, if there is one.",
                '"VM_EVENT_INTERFACE_VERSION"',
                of=ONE_HEADER,
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
                "Macros that are no constants, variables, and macros or functions of a ring that"
                " are not to be translated.",
                '["DEFINE_RING_TYPES"]',
            ),
            "libraries": Key(
                list,
                rules.SPEC,
                "Specs, beside this one, whose packages are made within this one's, such as"
                " those of the libraries that its users call. Of another header tree than the"
                " spec's own there are none.",
                '["tools/xenctrl.toml"]',
                of=ONE_HEADER,
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
        of=ONE_HEADER,
    ),
    "headers": Section(
        '[headers."PATTERN"]',
        "What is to be known of those of a tree's headers that the pattern names; the last"
        " that has a key counts.",
        {
            "needs": Key(
                list,
                rules.FILE,
                "Headers that they expect to be included before them, after those that the"
                " whole tree needs.",
                '["xen.h"]',
            ),
            "defines": Key(
                list,
                rules.DEFINE,
                "Macros that are defined before they are read, with those of the whole tree.",
                '["XEN_WANT_FLEX_CONSOLE_RING"]',
            ),
            "skip": Key(
                list,
                rules.C_NAME,
                "Macros of theirs that are no constants.",
                '["XEN_HVM_MCA_CAP_MASK"]',
            ),
            "only": Key(
                list,
                rules.TARGET,
                "The targets that they are for. They are read for the first, and their"
                " modules cannot be imported elsewhere. All others are read for x86_64.",
                '["arm64", "armhf"]',
            ),
        },
        of=TREE,
    ),
    "names": Section(
        "[names]",
        "Python names for groups of constants: the keys are prefixes, or `enum` and a tag, as"
        ' in `VM_EVENT_FLAG_ = "EventFlag"` and `"enum mode" = "Mode"`.',
        {},
    ),
    "payload": Section(
        "[payload]",
        "Which member of a union another member of the record around it selects; `[[payload]]`"
        " for each of several.",
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
    "event_ring": Section(
        "[event_ring.NAME]",
        "What a page's events have that their names do not tell; NAME is the macro that gives an"
        " event, as in `XENKBD_IN_RING_REF`. Without it, `in` in that name and `in_cons` and"
        " `in_prod` in a struct are enough, or so with `out`, `rsp`, `req`.",
        {
            "page": Key(
                str,
                rules.RECORD,
                "The struct that the page begins with.",
                '"struct xenkbd_page"',
            ),
            "consumer": Key(
                str,
                rules.C_NAME,
                "Its member that counts the events taken.",
                '"in_cons"',
            ),
            "producer": Key(
                str,
                rules.C_NAME,
                "Its member that counts the events put.",
                '"in_prod"',
            ),
            "reader": Key(
                str,
                rules.SIDE,
                "The side that takes the events: of `in` and `rsp` the frontend, of `out` and"
                " `req` the backend, where this does not say otherwise.",
                '"frontend"',
            ),
            "tag": Key(
                str,
                rules.C_NAME,
                "The member of an event that tells which one it is: `event.payload` is then the"
                " member of the union that it selects.",
                '"type"',
            ),
            "union": Key(
                str,
                rules.C_NAME,
                "The member of an event that is the union, if the event itself is none.",
                '"op"',
            ),
            "prefix": Key(
                str,
                rules.C_NAME,
                "The prefix of the tag's values, as in `[payload]`.",
                '"XENKBD_TYPE_"',
            ),
            "members": Key(
                dict,
                None,
                "The members that are called otherwise, by the rest of the constant's name.",
                '{ MTOUCH = "touch" }',
            ),
        },
    ),
    "byte_ring": Section(
        "[byte_ring.NAME]",
        "What a ring of bytes in a struct has that names do not tell; NAME is the array, whose size"
        " is a power of two. Without it, an array `in`, `in_cons` and `in_prod` beside it, and a"
        " macro that masks an index of it are enough, or so with `out`, `rsp`, `req`. There is one"
        " ring for each side to read.",
        {
            "page": Key(
                str,
                rules.RECORD,
                "The struct that has the array, if several have one of that name.",
                '"struct xencons_interface"',
            ),
            "consumer": Key(
                str,
                rules.MEMBER,
                "Its member that counts the bytes taken, or the path to that.",
                '"in_cons"',
            ),
            "producer": Key(
                str,
                rules.MEMBER,
                "Its member that counts the bytes put, or the path to that.",
                '"in_prod"',
            ),
            "mask": Key(
                str,
                rules.C_NAME,
                "The macro that reduces an index to a place in the array: `idx & (SIZE - 1)` or"
                " `idx % SIZE`, where SIZE may be the size of a second parameter.",
                '"MASK_XENCONS_IDX"',
            ),
            "reader": Key(
                str,
                rules.SIDE,
                "The side that takes the bytes: of `in` and `rsp` the frontend, of `out` and"
                " `req` the backend, where this does not say otherwise.",
                '"frontend"',
            ),
            "order": Key(
                str,
                rules.C_NAME,
                "The member that tells the ring's size, 2^order, in place of an array; NAME is any"
                " name then. A ring smaller than a page of 4096 bytes lies in it, as many bytes"
                " behind its beginning as it is large; a larger one is memory of its own.",
                '"left_order"',
            ),
            "least_order": Key(
                int,
                None,
                "The least that this member may be, from 0.",
                "10",
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
        of=ONE_HEADER,
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
        of=ONE_HEADER,
    ),
}

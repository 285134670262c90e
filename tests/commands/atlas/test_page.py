"""An atlas's page in a browser: what it draws, finds, follows, decodes, and what it says to all.

With XENBIND_ACCEPT set, the pictures of docs/atlas are taken anew.
"""

from __future__ import annotations

import json
import os
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from atlases import atlas_of, data_of, layout, members, own_atlas
from axe_core_python.selenium import Axe
from browser import browser, complaints, look
from golden_files import ACCEPT
from recordings import REQUESTS, record
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from support import PROJECT, xenbind
from xen_vm_event import VERSIONS, v7

LINES = PROJECT / "tests" / "data" / "requests-v7.jsonl"
PICTURES = PROJECT / "docs" / "atlas"
RELEASES = [release for each in VERSIONS.values() for release in each]
Open = Callable[[str], Chrome]


@pytest.fixture(scope="module")
def page() -> Path:
    return own_atlas()


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("profile")) as found:
        yield found


@pytest.fixture
def opened(page: Path, driver: Chrome) -> Iterator[Open]:
    """The page at a link, as if it had not been open before; in the end nothing was wrong."""

    def visit(link: str) -> Chrome:
        driver.get("about:blank")
        driver.get(page.as_uri() + link)
        return driver

    look(driver, 1400, 1000)
    complaints(driver)
    yield visit
    assert complaints(driver) == []


def text(driver: Chrome, selector: str) -> str:
    return driver.find_element(By.CSS_SELECTOR, selector).text


def count(driver: Chrome, selector: str) -> int:
    return len(driver.find_elements(By.CSS_SELECTOR, selector))


def click(driver: Chrome, selector: str) -> None:
    driver.find_element(By.CSS_SELECTOR, selector).click()


def press(driver: Chrome, *keys: str) -> None:
    for key in keys:
        ActionChains(driver).send_keys(key).perform()


def settle(driver: Chrome) -> None:
    """Let the page follow its address, which a browser tells it a little later."""
    driver.execute_async_script("setTimeout(arguments[0], 40)")


def where(driver: Chrome) -> str:
    settle(driver)
    return str(driver.execute_script("return location.hash"))


def focused(driver: Chrome) -> str | None:
    return driver.switch_to.active_element.get_attribute("data-path")


def take(driver: Chrome, path: Path) -> None:
    driver.find_element(By.ID, "file").send_keys(str(path))
    settle(driver)
    settle(driver)


def values(driver: Chrome) -> dict[str, str]:
    """What the table says of each member that has bytes, as decimal numbers."""
    found: dict[str, str] = driver.execute_script("""
        const rows = document.querySelectorAll("#table tr[data-path]");
        return Object.fromEntries([...rows]
            .map((row) => [row.dataset.path, row.querySelector(".value")?.dataset.numbers])
            .filter(([, numbers]) => numbers));
        """)
    return found


# ---- what it draws


def test_what_is_seen_first(opened: Open) -> None:
    driver = opened("")
    assert text(driver, "#title h2") == "struct vm_event_st"
    assert text(driver, "#edition-name").endswith(RELEASES[-1])


@pytest.mark.parametrize("name", ["vm_event_st", "vm_event_regs_x86"])
def test_members_are_drawn_to_scale(opened: Open, page: Path, name: str) -> None:
    """The boxes are measured: where they begin in their row, and how wide they are."""
    driver = opened(f"#4.18/{name}")
    data = data_of(page)
    (edition,) = (
        each for each in data["chapters"][0]["editions"] if each["link"] == "4.18"
    )
    wanted = layout(data, edition["records"][f"struct {name}"][0])
    drawn = driver.execute_script("""
        return [...document.querySelectorAll("#picture > .struct > .grid > .row:not(.strip)")]
            .flatMap((row) => {
                const whole = row.querySelector(".boxes").getBoundingClientRect();
                const start = Number(row.querySelector(".at").textContent);
                return [...row.querySelectorAll("button.box")].map((box) => {
                    const own = box.getBoundingClientRect();
                    const scale = 8 / whole.width;
                    const place = start + (own.left - whole.left) * scale;
                    return [box.dataset.path, place, own.width * scale];
                });
            });
        """)
    assert [name for name, _, _ in drawn] == [p["name"] for p in members(wanted)]
    for (_, start, width), part in zip(drawn, members(wanted), strict=True):
        assert start == pytest.approx(part["offset"], abs=0.05)
        in_row = min(part["size"], 8 - part["offset"] % 8)
        assert width == pytest.approx(in_row, abs=0.05)


def test_bit_fields_are_drawn_larger_too(opened: Open) -> None:
    driver = opened("#4.18/vm_event_x86_selector_reg")
    assert [
        each.text for each in driver.find_elements(By.CSS_SELECTOR, ".strip .box")
    ] == ["0\N{EN DASH}19 limit", "20\N{EN DASH}31 ar"]


def test_a_union_is_layers_of_which_each_can_be_opened(opened: Open) -> None:
    driver = opened("#4.18/vm_event_st/u")
    assert count(driver, ".layer") == len(v7.vm_event_st_u._members_)
    click(driver, 'button[data-path="u.cpuid"]')
    assert count(driver, 'button[data-path^="u.cpuid."]') == 4
    click(driver, 'button[data-path="u.cpuid"]')
    assert count(driver, 'button[data-path^="u.cpuid."]') == 0


def test_constants_have_nothing_to_open(opened: Open) -> None:
    driver = opened("#4.18/VM_EVENT_REASON_*")
    assert "VM_EVENT_REASON_CPUID" in text(driver, "#table")
    assert not driver.find_element(By.ID, "open-all").is_displayed()


def test_what_is_pointed_at_is_told(opened: Open) -> None:
    driver = opened("#4.18/vm_event_st")
    box = driver.find_element(By.CSS_SELECTOR, 'button[data-path="reason"]')
    ActionChains(driver).move_to_element(box).perform()
    told = text(driver, "#details")
    assert "uint32_t reason" in told
    assert "8 (0x8)" in told
    assert "VM_EVENT_REASON_CPUID" in told


def test_another_target(opened: Open) -> None:
    driver = opened("#4.18/vm_event_back_ring@i386")
    assert "on i386" in text(driver, ".size")
    click(driver, "#abi option:first-child")
    assert where(driver) == "#4.18/vm_event_back_ring"


def test_fewer_bytes_a_row(opened: Open) -> None:
    driver = opened("#4.18/vm_event_mem_access")
    assert count(driver, "#picture .ruler span") == 8
    click(driver, "#width option:first-child")
    assert count(driver, "#picture .ruler span") == 4


def test_places_of_many_digits_are_whole(driver: Chrome, tmp_path: Path) -> None:
    (tmp_path / "big.h").write_text("struct big { char all[12345678]; int last; };\n")
    spec = tmp_path / "big.toml"
    spec.write_text('[interface]\nname = "big"\npackage = "big"\nheader = "big.h"\n')
    driver.get(atlas_of(tmp_path / "out", "--spec", spec).as_uri())
    for width in (400, 1400):
        look(driver, width, 900)
        cut = driver.execute_script("""
            const places = [...document.querySelectorAll("#picture .at")];
            return places.filter((each) => each.scrollWidth > each.clientWidth).length;
            """)
        assert (width, cut) == (width, 0)


# ---- where it goes


def test_a_link_to_a_member(opened: Open) -> None:
    driver = opened("#4.18/vm_event_st/u.mem_access")
    assert text(driver, "#details h2") == "u.mem_access"
    assert count(driver, 'button[data-path="u.mem_access.gla"]') == 1


def follow(driver: Chrome, link: str) -> None:
    """Go where a link leads, within the page."""
    driver.execute_script("location.hash = arguments[0]", link)
    settle(driver)


def test_every_release_can_be_linked_to(opened: Open) -> None:
    driver = opened("#4.6")
    for release in RELEASES:
        follow(driver, f"#{release}/vm_event_st")
        first, _, last = text(driver, "#edition-name").partition(" to ")
        spoken = RELEASES[RELEASES.index(first) : RELEASES.index(last or first) + 1]
        assert release in spoken
        assert text(driver, "#title h2") == "struct vm_event_st"


def test_a_link_to_nothing_does_no_harm(opened: Open) -> None:
    driver = opened("#9.9/vm_event_st")
    for link in ("#4.18/nothing", "#4.18/vm_event_st/u.nothing", "#%"):
        follow(driver, link)
        assert text(driver, "#title h2")


def test_the_slider_tells_what_changed(opened: Open) -> None:
    driver = opened("#4.15/vm_event_regs_arm")
    slider = driver.find_element(By.ID, "edition")
    slider.send_keys(Keys.ARROW_RIGHT)
    assert where(driver) == "#4.16/vm_event_regs_arm"
    assert "grew from 4 bytes to 8 bytes" in text(driver, "#table")
    assert "Gone since 4.15: uint32_t _pad" in text(driver, "#picture")
    slider.send_keys(Keys.HOME)
    settle(driver)
    assert "is not there in 4.6" in text(driver, "#title")


def test_a_new_struct_is_marked(opened: Open) -> None:
    driver = opened("#4.18/vm_event_st/u")
    assert "came" in text(driver, 'nav a[href="#4.18/vm_event_io"]')
    assert count(driver, 'button.came[data-path="u.io"]') == 1


FOUND = {
    "vm_event_mem_access gla": "#4.18/vm_event_mem_access/gla",
    "u.cpuid": "#4.18/vm_event_st/u.cpuid",
    "u.mem_access.gfn": "#4.18/vm_event_st/u.mem_access.gfn",
    "vm_event_st.data.regs.x86.ri": "#4.18/vm_event_st/data.regs.x86.rip",
    "VM_EVENT_INTERFACE_VERSION": "#4.18/*",
    "REASON_CPUID": "#4.18/VM_EVENT_REASON_*",
    "model-specific": "#4.18/vm_event_mov_to_msr",
}


def test_search(opened: Open) -> None:
    driver = opened("#4.18/vm_event_st")
    for typed, link in FOUND.items():
        driver.execute_script(
            "document.activeElement.blur(); document.getElementById('search').value = ''"
        )
        press(driver, "/", typed, Keys.ENTER)
        assert where(driver) == link
        assert count(driver, "#found:not([hidden])") == 0
    press(driver, "xyzzy")
    assert text(driver, "#found") == "nothing is called so"


def test_everything_by_the_keyboard_alone(opened: Open) -> None:
    driver = opened("#4.18/vm_event_st")
    for _ in range(100):
        press(driver, Keys.TAB)
        if focused(driver) == "version":
            break
    assert focused(driver) == "version"
    press(driver, Keys.ARROW_RIGHT, Keys.ARROW_DOWN)
    assert focused(driver) == "reason"
    assert "uint32_t reason" in text(driver, "#details")
    press(driver, Keys.END)
    assert focused(driver) == "data"
    press(driver, Keys.ENTER)
    assert focused(driver) == "data"
    assert count(driver, 'button[data-path="data.regs"]') == 1
    press(driver, Keys.ARROW_RIGHT)
    assert focused(driver) == "data.regs"
    press(driver, Keys.ESCAPE)
    assert focused(driver) == "data"
    assert count(driver, 'button[data-path="data.regs"]') == 0
    press(driver, ",")
    assert where(driver).startswith("#4.17/")
    press(driver, ".")
    assert where(driver).startswith("#4.18/")


# ---- names


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of a header with names that collide, constants of no group, and many items."""
    folder = tmp_path_factory.mktemp("others")
    (folder / "odd.h").write_text(
        "#define LONELY 5\n"
        "struct pair { char a, b; };\n"
        "typedef struct { int whole; } pair;\n"
        "struct list { struct pair pairs[11]; pair last; };\n"
        "struct constructor { int own; };\n"
    )
    (folder / "odd.toml").write_text(
        '[interface]\nname = "odd"\npackage = "odd"\nheader = "odd.h"\ninclude = ["."]\n'
    )
    return atlas_of(folder / "out", "--spec", folder / "odd.toml")


def test_a_typedef_and_a_struct_of_one_name_are_two(
    driver: Chrome, others: Path
) -> None:
    look(driver, 1400, 1000)
    driver.get("about:blank")
    driver.get(f"{others.as_uri()}#0/pair")
    assert text(driver, "#title h2") == "struct pair"
    assert sorted(paths_of_table(driver)) == ["whole"]
    click(driver, 'nav a[href="#0/struct:pair"]')
    settle(driver)
    assert text(driver, "#title h2") == "struct pair"
    assert sorted(paths_of_table(driver)) == ["a", "b"]
    assert text(driver, 'nav a[aria-current="page"] span') == "struct pair"


def test_a_name_that_every_object_has_is_like_others(
    driver: Chrome, others: Path
) -> None:
    """It collides with none of the header's."""
    driver.get("about:blank")
    driver.get(f"{others.as_uri()}#0/constructor")
    assert text(driver, "#title h2") == "struct constructor"
    assert paths_of_table(driver) == ["own"]
    assert driver.find_elements(By.CSS_SELECTOR, 'nav a[href="#0/constructor"]')


def paths_of_table(driver: Chrome) -> list[str]:
    rows = driver.find_elements(By.CSS_SELECTOR, "#table tr[data-path]")
    return [str(row.get_attribute("data-path")) for row in rows]


def test_a_spec_without_versions_is_called_as_its_header(
    driver: Chrome, others: Path
) -> None:
    driver.get(f"{others.as_uri()}#0/list")
    driver.refresh()
    assert "in odd.h on x86_64" in text(driver, "#title .size")


def test_constants_of_no_group_are_found(driver: Chrome, others: Path) -> None:
    driver.get(f"{others.as_uri()}#0/list")
    driver.refresh()
    press(driver, "/", "LONELY", Keys.ENTER)
    assert where(driver) == "#0/*"
    assert text(driver, "#title h2") == "other constants"
    assert "LONELY" in text(driver, "#table")


def test_the_items_that_an_open_array_leaves_out_are_counted(
    driver: Chrome, others: Path
) -> None:
    driver.get(f"{others.as_uri()}#0/list/pairs")
    driver.refresh()
    assert count(driver, '#table tr[data-path="pairs[7].b"]') == 1
    assert count(driver, '#table tr[data-path="pairs[8].a"]') == 0
    (row,) = (
        row.text
        for row in driver.find_elements(By.CSS_SELECTOR, "#table tr")
        if "3 items more" in row.text
    )
    assert row.split()[:2] == ["16", "6"]
    assert "and 3 items more" in text(driver, "#picture .more")


# ---- bytes


def said(event: dict[str, Any]) -> dict[str, str]:
    """What `xenbind decode` says of a request, by the paths of its members."""
    head = ("version", "flags", "reason", "vcpu_id", "altp2m_idx")
    found = {name: event[name] for name in head}
    for name, value in event["details"].items():
        if not name.endswith("_name"):
            found[f"u.{event['payload']}.{name}"] = value
    for name, value in event["registers"].items():
        found[f"data.regs.x86.{name}"] = value
    return {name: str(value) for name, value in found.items()}


def decoded(path: Path) -> list[dict[str, Any]]:
    made = xenbind("decode", path, "--json")
    assert made.returncode == 0, made.stderr
    return [json.loads(line) for line in made.stdout.splitlines()]


def compare(driver: Chrome, events: list[dict[str, Any]]) -> None:
    """Go through the samples, and hold each against an event."""
    assert events
    for index, event in enumerate(events):
        drawn = values(driver)
        expected = said(event)
        assert {name: drawn.get(name) for name in expected} == expected, index
        name = event["reason_name"]
        assert f"{event['reason']} {name}" in text(driver, 'button[data-path="reason"]')
        if index + 1 < len(events):
            click(driver, "#sample-after")
            settle(driver)


def test_lines_of_json_say_what_decode_says(opened: Open) -> None:
    driver = opened("")
    take(driver, LINES)
    click(driver, "#open-all")
    compare(driver, decoded(LINES))


def test_a_recording_says_what_decode_says(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "guest.rec"
    record(path)
    driver = opened("")
    take(driver, path)
    click(driver, "#open-all")
    labels = text(driver, "#sample").splitlines()
    requests = [place for place, label in enumerate(labels) if "answer" not in label]
    events = decoded(path)
    assert len(requests) == len(events)
    assert len(labels) - len(requests) == len(events) - 1  # the last has no answer
    for place, event in zip(requests, events, strict=True):
        click(driver, f"#sample option:nth-child({place + 1})")
        settle(driver)
        compare(driver, [event])


def test_a_rings_page_says_what_decode_says(opened: Open, tmp_path: Path) -> None:
    page = bytearray(4096)
    front, back = v7.FrontRing(page, start=0), v7.BackRing(page, start=0)
    for request in REQUESTS[:3]:
        front.send(v7.vm_event_st.from_buffer_copy(request))
    front.push_requests()
    back.respond(next(iter(back.requests())))  # which then waits no more
    back.push_responses()
    path = tmp_path / "ring.page"
    path.write_bytes(page)
    driver = opened("")
    take(driver, path)
    click(driver, "#open-all")
    compare(driver, decoded(path))
    click(driver, "#sample-after")
    settle(driver)
    assert text(driver, "#title h2") == "struct vm_event_sring"
    assert values(driver)["req_prod"] == "3"


def test_raw_requests_say_what_decode_says(opened: Open, tmp_path: Path) -> None:
    path = tmp_path / "raw"
    path.write_bytes(b"".join(REQUESTS[:2]))
    driver = opened("")
    take(driver, path)
    click(driver, "#open-all")
    compare(driver, decoded(path))


def dumped(octets: bytes) -> str:
    """What `hexdump -C` prints: a `*` for rows like the one before, and the size at the end."""
    lines, before = [], b""
    for at in range(0, len(octets), 16):
        row = octets[at : at + 16]
        line = f"{at:08x}  {row[:8].hex(' ')}  {row[8:].hex(' ')}  |{'.' * len(row)}|"
        if row != before:
            lines.append(line)
        elif lines[-1] != "*":
            lines.append("*")
        before = row
    return "\n".join([*lines, f"{len(octets):08x}\n"])


def by_od(octets: bytes) -> str:
    """What `od -tx1` prints."""
    printed = subprocess.run(
        ["od", "-tx1"], input=octets, capture_output=True, check=True
    )
    return printed.stdout.decode()


def paste(driver: Chrome, pasted: str) -> None:
    click(driver, "#paste-button")
    driver.execute_script("document.getElementById('hex').value = arguments[0]", pasted)
    click(driver, "#pasting [type=submit]")
    settle(driver)


@pytest.mark.parametrize(
    "form", [bytes.hex, dumped, by_od], ids=["plain", "dump", "od"]
)
def test_hexadecimal_is_pasted(opened: Open, form: Callable[[bytes], str]) -> None:
    request = REQUESTS[0]
    driver = opened("#4.16/vm_event_mem_access")
    paste(driver, form(request))
    assert text(driver, "#message") == f"1 sample of {len(request)} bytes"
    assert text(driver, "#title h2") == "struct vm_event_st"
    assert values(driver)["reason"] == str(
        v7.vm_event_st.from_buffer_copy(request).reason
    )


@pytest.mark.parametrize("pasted", ["", "a word", "07 00 0", "*\n00000010"])
def test_a_text_is_no_bytes(opened: Open, pasted: str) -> None:
    driver = opened("#4.18/vm_event_fast_singlestep")
    paste(driver, pasted)
    said = "Not read: this is neither hexadecimal nor lines of JSON"
    assert text(driver, "#message") == said


def test_bytes_are_dropped(opened: Open) -> None:
    """What a browser does with a file that is let go over the page."""
    driver = opened("")
    driver.execute_script(
        """
        const given = new DataTransfer();
        given.items.add(new File([new Uint8Array(arguments[0])], "request"));
        dispatchEvent(new DragEvent("drop", { dataTransfer: given, cancelable: true }));
        """,
        list(REQUESTS[1]),
    )
    settle(driver)
    settle(driver)
    assert values(driver)["version"] == "7"


def test_other_bytes_are_the_structs_that_is_looked_at(
    opened: Open, tmp_path: Path
) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(24)))
    driver = opened("#4.18/vm_event_io")
    take(driver, path)
    assert text(driver, "#message") == "3 samples of 24 bytes"
    drawn = values(driver)
    io = v7.vm_event_io.from_buffer_copy(bytes(range(8)))
    assert {name: int(value) for name, value in drawn.items()} == {
        member.c_name: getattr(io, member.name) for member in v7.vm_event_io._members_
    }


MAGIC = b"\x89XENREC\n"
HEAD = struct.pack("<II", 1, 2) + b"{}"
UNREADABLE = {
    b"\x01\x02": "Not read: 2 bytes are too few: struct vm_event_st has 400",
    b'{"request": "07"}': "Not read: line 1 has no whole request of a known version",
    b"{oops": "Not read: line 1 is no JSON",
    b"\x07": "Not read: 1 byte is too few: struct vm_event_st has 400",
    MAGIC + bytes(40): "Not read: the recording is damaged at byte 0",
    MAGIC + HEAD + bytes(40): "Not read: the recording is damaged at byte 18",
    MAGIC
    + HEAD
    + struct.pack("<IHHQQ", 24, 1, 0, 0, 0): (
        "Not read: the recording is damaged at byte 18"
    ),
    MAGIC
    + HEAD
    + struct.pack("<IHHQQ", 1 << 21, 1, 0, 0, 0): (
        "Not read: the recording is damaged at byte 18"
    ),
}


def test_bytes_that_cannot_be_read_are_told(opened: Open, tmp_path: Path) -> None:
    driver = opened("#4.18/vm_event_st")
    for number, (given, message) in enumerate(UNREADABLE.items()):
        path = tmp_path / str(number)
        path.write_bytes(given)
        take(driver, path)
        assert text(driver, "#message") == message


# ---- for all


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize(
    "link", ["#4.18/vm_event_st/u.mem_access", "#4.18/MEM_ACCESS_*"]
)
def test_it_is_for_all(opened: Open, link: str, width: int, is_dark: bool) -> None:
    """axe-core finds nothing serious, and nothing is wider than the window."""
    driver = opened(link)
    look(driver, width, 900, is_dark)
    driver.refresh()
    found = Axe().run(driver)["violations"]
    assert [(each["id"], each["impact"]) for each in found] == []
    wide = "return document.documentElement.scrollWidth"
    assert driver.execute_script(wide) <= width


def test_axe_looks_at_bytes_too(opened: Open) -> None:
    driver = opened("")
    take(driver, LINES)
    found = Axe().run(driver)["violations"]
    assert [(each["id"], each["impact"]) for each in found] == []


def test_it_is_there_within_a_second(opened: Open) -> None:
    driver = opened("#4.18/vm_event_st")
    took = driver.execute_script(
        "return performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
    )
    assert took < 1000


SHOTS = {
    "wide": ("#4.18/vm_event_st/u.mem_access", 1100, 720, False),
    "bytes": ("", 1100, 720, False),
    "dark": ("#4.16/vm_event_regs_arm", 1000, 620, True),
    "narrow": ("#4.18/vm_event_x86_selector_reg", 400, 800, False),
}


@pytest.mark.parametrize("name", SHOTS)
def test_pictures_of_the_docs(opened: Open, name: str) -> None:
    link, width, height, is_dark = SHOTS[name]
    path = PICTURES / f"{name}.png"
    if os.environ.get(ACCEPT):
        path.parent.mkdir(exist_ok=True)
        driver = opened(link)
        look(driver, width, height, is_dark)
        driver.refresh()
        if name == "bytes":
            take(driver, LINES)
        assert driver.save_screenshot(str(path))
    assert path.stat().st_size < 150_000
    assert f"atlas/{name}.png" in (PROJECT / "docs" / "atlas.md").read_text()

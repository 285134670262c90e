"""What is made of Xen's public headers, on a real Xen: a stream to C's, and the list of domains."""

from __future__ import annotations

import re

from live.runs import Run

ANSWERED = r"1000000 bytes, Adler-32 \w{8}\n"


def test_a_server_in_python_with_a_client_in_c(live: Run) -> None:
    """The client itself compares what comes back with what it sent."""
    client = live.steps["vchan: client in C"]
    assert (client.status, client.stderr) == (0, "")
    assert re.fullmatch(ANSWERED, client.stdout)
    assert live.steps["vchan: server"].status == 0


def test_a_client_in_python_with_a_server_in_c(live: Run) -> None:
    client, sent = live.steps["vchan: client"], live.steps["vchan: sent"]
    assert (client.status, client.stderr) == (0, "")
    assert client.stdout == sent.stdout
    server = live.steps["vchan: server in C"]
    assert (server.status, server.stdout) == (0, sent.stdout)


def test_a_client_whose_server_is_killed_is_told(live: Run) -> None:
    client = live.steps["vchan: killed server"]
    assert (client.status, client.stdout, client.stderr) == (0, "b''\n", "")


def test_a_client_without_a_server(live: Run) -> None:
    client = live.steps["vchan: no server"]
    assert client.status == 1
    assert client.stderr == (
        "vchan: domain 0: [Errno 2] xs_read: No such file or directory;"
        " there is no such path, or no xenstored: see `xenstore-ls`\n"
    )


def rows(said: str) -> list[list[str]]:
    """What a list says of each domain, without its name."""
    return [line.split()[-5:] for line in said.splitlines()[1:]]


def test_the_domains_are_those_of_xl(live: Run) -> None:
    """With what xl says of them; they ran on meanwhile, as all three say."""
    steps = ("domains earlier", "domains of xl", "domains later")
    assert [live.steps[step].status for step in steps] == [0, 0, 0]
    earlier, of_xl, later = (rows(live.steps[step].stdout) for step in steps)
    assert len(of_xl) == 3
    for ours, xls, last in zip(earlier, of_xl, later, strict=True):
        assert ours[:3] == xls[:3] == last[:3]  # number, memory, vCPUs
        assert float(ours[4]) <= float(xls[4]) <= float(last[4])
        # What a guest does at the moment may be another thing, but dom0 runs: it asks.
        assert re.fullmatch(r"[r-][b-][p-]---", ours[3])
    assert earlier[0][3] == of_xl[0][3] == "r-----"


def test_headers_of_another_xen_are_an_error_in_words(live: Run) -> None:
    step = live.steps["domains of another Xen"]
    assert (step.status, step.stdout) == (1, "")
    assert re.fullmatch(
        r"domains: this Xen does not speak version 0x\w+ of sysctl\.h;"
        r" make xen_public of its own headers\n",
        step.stderr,
    )

"""What the workflows may do, and in which order a release comes about."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import PROJECT

WORKFLOWS = sorted((PROJECT / ".github/workflows").glob("*.yml"))
RELEASE = PROJECT / ".github/workflows/release.yml"
PINNED = re.compile(r"[\w./-]+@[0-9a-f]{40}")


def read(path: Path) -> dict[str, Any]:
    # To YAML 1.1 a key `on` is true.
    said: dict[str | bool, Any] = yaml.safe_load(path.read_text())
    return {"on" if key is True else str(key): value for key, value in said.items()}


@pytest.fixture
def jobs() -> dict[str, Any]:
    found: dict[str, Any] = read(RELEASE)["jobs"]
    return found


def called(job: dict[str, Any]) -> list[str]:
    """The actions of a job without their commits, in order."""
    return [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.name))
@pytest.mark.parametrize(
    "check",
    [
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
        ["zizmor", "--offline", "--quiet", "--min-severity", "medium"],
    ],
    ids=lambda check: str(check[0]),
)
def test_a_workflow_is_one_and_has_no_known_weakness(
    check: list[str], path: Path
) -> None:
    program, *options = check
    command = [str(Path(sys.executable).with_name(program)), *options, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: str(path.name))
def test_actions_are_pinned_to_a_commit_whose_version_is_told(path: Path) -> None:
    used = re.findall(r"uses: (\S+)(?:  # (v[\d.]+))?$", path.read_text(), re.MULTILINE)
    assert path.read_text().count("uses:") == len(used)
    for action, version in used:
        own = action.startswith("./")
        assert own or (PINNED.fullmatch(action) and version), action


def test_a_tag_of_a_version_releases_it_and_nothing_else_does() -> None:
    assert read(RELEASE)["on"] == {"push": {"tags": ["v*"]}}


def test_nothing_is_built_before_all_tests_passed_nor_published_before_it_is_attested(
    jobs: dict[str, Any],
) -> None:
    assert jobs["ci"]["uses"] == "./.github/workflows/ci.yml"
    assert "workflow_call" in read(RELEASE.with_name("ci.yml"))["on"]
    assert (jobs["build"]["needs"], jobs["publish"]["needs"]) == ("ci", "build")
    assert called(jobs["build"])[-3:] == [
        "actions/attest-build-provenance",
        "actions/upload-artifact",
        "actions/upload-artifact",
    ]


def test_what_is_built_is_of_the_tag_and_links_to_the_repository(
    jobs: dict[str, Any],
) -> None:
    (built,) = (s for s in jobs["build"]["steps"] if "dist.py" in s.get("run", ""))
    assert built["run"] == 'python .ci/dist.py --url "$URL" --tag "$TAG"'
    assert built["env"] == {
        "URL": "${{ github.server_url }}/${{ github.repository }}",
        "TAG": "${{ github.ref_name }}",
    }


def test_each_job_may_do_what_it_has_to(jobs: dict[str, Any]) -> None:
    assert read(RELEASE)["permissions"] == {}
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "ci": {"contents": "read"},
        "build": {"contents": "read", "id-token": "write", "attestations": "write"},
        "publish": {"id-token": "write"},
    }


def test_the_registry_trusts_the_workflow_and_no_token_is_kept(
    jobs: dict[str, Any],
) -> None:
    assert "secrets" not in RELEASE.read_text()
    assert jobs["publish"]["environment"] == "release-${{ matrix.package }}"
    publish = jobs["publish"]["steps"][-1]
    assert publish.keys() == {"uses"}
    assert called(jobs["publish"]) == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]
    packages = jobs["publish"]["strategy"]["matrix"]["package"]
    uploaded = [
        step["with"]["name"]
        for step in jobs["build"]["steps"]
        if "path" in step.get("with", {})
    ]
    assert uploaded == packages


def test_how_to_release_names_what_the_workflow_has(jobs: dict[str, Any]) -> None:
    page = (PROJECT / "docs/releasing.md").read_text()
    assert f"`{RELEASE.name}`" in page
    for package in jobs["publish"]["strategy"]["matrix"]["package"]:
        assert f"`release-{package}`" in page

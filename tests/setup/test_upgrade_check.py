"""`make upgrade-check` says which LiteLLM was checked, and what came of it."""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from tests import upgrade_check
from tests.setup.shell import ROOT

HERE = ["--python", sys.executable, "--tests"]


def test_what_is_checked_is_in_the_range_of_the_project() -> None:
    assert upgrade_check.in_range(ROOT / "pyproject.toml").startswith("litellm>=")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one", "ended"),
    [
        ("test_what_is_checked_is_in_the_range_of_the_project", "passed"),
        ("test_that_there_is_not", "FAILED"),
    ],
)
def test_the_version_and_the_result_are_said_and_the_code_is_the_result(
    one: str, ended: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code = upgrade_check.main([*HERE, f"tests/setup/test_upgrade_check.py::{one}"])
    assert code == int(ended == "FAILED")
    assert f"LiteLLM {version('litellm')}: the conformance suite {ended}" in capfd.readouterr().out


def test_where_no_environment_can_be_made_that_is_said(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "python"
    broken.write_text("#!/bin/sh\necho 'no such package' >&2; exit 1\n")
    broken.chmod(0o755)
    assert upgrade_check.main(["--python", str(broken), "--tests", "none"]) == 2
    said = capfd.readouterr().err
    assert "no environment with litellm>=" in said
    assert "no such package" in said

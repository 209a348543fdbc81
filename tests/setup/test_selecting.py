"""What a run leaves out is deselected and said, the same tests each time; a sweep takes all."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.selecting import sampled
from tests.setup.shell import ROOT, clean_environment

TESTS = """\
import pytest

from tests.selecting import sampled


def test_quick(): pass


@pytest.mark.slow
def test_slow(): pass


@pytest.mark.sweep
def test_long(): pass


@pytest.mark.python(9, 9)
def test_later(): pass


@pytest.mark.parametrize("n", sampled(range(100), one_in=4))
def test_many(n): pass
"""


def values(parameters: list[pytest.param], *, kept: bool = True) -> list[object]:  # type: ignore[valid-type]
    return [p.values[0] for p in parameters if kept == (not p.marks)]


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_is_left_out_is_counted_in_one_line(tmp_path: Path, workers: str) -> None:
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {ROOT}\naddopts = --strict-markers\n"
        "markers =\n    slow: a\n    sweep: b\n    python(major, minor): c\n"
    )
    (tmp_path / "conftest.py").write_text('pytest_plugins = ("tests.selecting",)\n')

    def run(*options: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-v", "-n", workers, *options],
            cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout.splitlines()

    kept = len(values(sampled(range(100), one_in=4)))
    version = ".".join(map(str, sys.version_info[:2]))
    lines = run()
    assert f"left out on Python {version}: {100 - kept + 1} that are for --sweep" in lines
    assert f"left out on Python {version}: 1 that need Python 9.9" in lines
    assert f"{kept + 2} passed" in lines[-1]
    assert "skipped" not in lines[-1]
    if workers == "0":
        assert next(line for line in lines if "::" in line).startswith("test_some.py::test_slow ")

    lines = run("--sweep", "-m", "not slow")
    assert not [line for line in lines if "--sweep" in line]
    assert "102 passed" in lines[-1]


def test_a_sample_follows_from_the_values_and_has_one_of_every_family() -> None:
    names = [f"{family}-{number}" for family in "abc" for number in range(200)]

    found = values(sampled(names, one_in=50, family=lambda name: name[0]))

    assert found == values(sampled(reversed(names), one_in=50, family=lambda name: name[0]))[::-1]
    assert {str(name)[0] for name in found} == {"a", "b", "c"}
    assert 3 <= len(found) < 40
    assert len(values(sampled(names, one_in=10**9, family=lambda name: name[0]))) == 3
    assert set(found) < set(values(sampled(names, one_in=5, family=lambda name: name[0])))
    assert values(sampled(names, one_in=1)) == names

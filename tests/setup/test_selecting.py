"""What a run leaves out is deselected and said, the same tests each time; a sweep takes all."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.selecting import TOGETHER, sampled
from tests.setup.shell import ROOT, clean_environment

PYTEST = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
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


@pytest.fixture
def postgresql(): pass


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_by_name(database): pass


def test_by_fixture(postgresql): pass


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request): pass


def test_twins(database_url): pass


@pytest.mark.parametrize("n", range(2))
def test_two_cases(database_url, n): pass


@pytest.mark.parametrize("n", range(40))
def test_cases(database_url, n): pass
"""


def values(parameters: list[pytest.param], *, kept: bool = True) -> list[object]:  # type: ignore[valid-type]
    return [p.values[0] for p in parameters if kept == (not p.marks)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A few tests, and how they are configured."""
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ("tests.selecting",)\n')
    markers = "".join(f"\n    {line}" for line in PYTEST["markers"])
    (tmp_path / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {ROOT}\naddopts = --strict-markers\nmarkers ={markers}\n"
    )
    return tmp_path


def run(folder: Path, *options: str) -> list[str]:
    """The lines that pytest prints."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-v", *options],
        cwd=folder, env=clean_environment(), capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("workers", ["0", "1"])
def test_what_is_left_out_is_counted_in_a_line(folder: Path, workers: str) -> None:
    lines = run(folder, "-n", workers, "-k", "not twins and not cases")

    kept = len(values(sampled(range(100), one_in=4)))
    version = ".".join(map(str, sys.version_info[:2]))
    assert f"left out on Python {version}: {100 - kept + 1} that are for --sweep" in lines
    assert f"left out on Python {version}: 1 that need Python 9.9" in lines
    assert f"{kept + 5} passed" in lines[-1]
    assert "skipped" not in lines[-1]


def test_what_is_slow_comes_first_and_what_needs_postgresql_is_marked(folder: Path) -> None:
    lines = run(folder, "--sweep", "-m", "not postgresql")

    assert [line.split()[0] for line in lines if "::" in line][:3] == [
        "test_some.py::test_slow",
        "test_some.py::test_quick",
        "test_some.py::test_long",
    ]
    assert not [line for line in lines if "--sweep" in line]
    assert "147 passed, 46 deselected" in lines[-1]


def test_a_worker_has_all_tests_of_a_file_and_of_a_folder_that_shares_servers(
    folder: Path,
) -> None:
    """Else what a module or a folder makes once would be made by every worker with a test of it."""
    together = folder / TOGETHER[0]
    together.mkdir(parents=True)
    made = "import pytest\n@pytest.mark.parametrize('n', range(9))\ndef test_made(n): pass\n"
    for name in ("first", "second"):
        (together / f"test_{name}.py").write_text(made)
    for name in ("one", "two", "three"):
        (folder / f"test_{name}.py").write_text(made)

    lines = run(folder, "-n", "2", "--dist", "loadfile", "-k", "made")

    ran = [re.match(r"\[(gw\d)\] .* PASSED (\S+/)?(\w+)\.py::", line) for line in lines]
    workers: dict[str, set[str]] = {}
    for worker, place, name in (each.groups() for each in ran if each):
        workers.setdefault(place or name, set()).add(worker)
    assert {place: len(found) for place, found in workers.items()} == {
        TOGETHER[0]: 1, "test_one": 1, "test_two": 1, "test_three": 1,
    }  # fmt: skip
    assert {worker for found in workers.values() for worker in found} == {"gw0", "gw1"}


def test_of_cases_on_both_databases_a_sample_runs_on_postgresql_and_all_in_a_sweep(
    folder: Path,
) -> None:
    def counted(*options: str) -> Counter[tuple[str, str]]:
        lines = run(folder, "-k", "cases or twins", *options)
        found = [re.search(r"::(test_\w+)\[(sqlite|postgresql)", line) for line in lines]
        return Counter((each[1], each[2]) for each in found if each)

    there = counted()
    assert [there[test, "sqlite"] for test in ("test_twins", "test_two_cases", "test_cases")] == [
        1,
        2,
        40,
    ]
    assert there["test_twins", "postgresql"] == 1
    assert 1 <= there["test_two_cases", "postgresql"] <= 2
    assert 1 <= there["test_cases", "postgresql"] <= 20
    assert counted("--sweep")["test_cases", "postgresql"] == 40


def test_a_sample_follows_from_the_values_and_has_one_of_every_family() -> None:
    names = [f"{family}-{number}" for family in "abc" for number in range(200)]

    found = values(sampled(names, one_in=50, family=lambda name: name[0]))

    assert found == values(sampled(reversed(names), one_in=50, family=lambda name: name[0]))[::-1]
    assert {str(name)[0] for name in found} == {"a", "b", "c"}
    assert 3 <= len(found) < 40
    assert len(values(sampled(names, one_in=10**9, family=lambda name: name[0]))) == 3
    assert set(found) < set(values(sampled(names, one_in=5, family=lambda name: name[0])))
    assert values(sampled(names, one_in=1)) == names

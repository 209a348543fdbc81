"""The two commands on a machine that has only Python and make, as far as no network is needed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.every_python import pythons
from tests.setup.shell import ROOT, clean_environment

MAKEFILE = (ROOT / "Makefile").read_text()
LOCK = (ROOT / "requirements.txt").read_text()
LOCKED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^ ;\\]+)", re.MULTILINE)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make` reads, where nothing has been installed yet."""
    folder = tmp_path / "checkout"
    (folder / "tests").mkdir(parents=True)
    for name in ("Makefile", "requirements.txt", "pyproject.toml", "tests/inspect.txt"):
        shutil.copy(ROOT / name, folder / name)
    return folder


def machine(folder: Path, *, new: Iterable[str] = (), old: Iterable[str] = ()) -> Path:
    """A folder of commands: a shell, and Pythons that are new enough or are not."""
    folder.mkdir()
    for name in ("sh", "echo", "test"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name in new:
        _script(folder / name, f'exec "{sys.executable}" "$@"')
    for name in old:
        _script(folder / name, '[ "$1" = -V ] && echo Python 3.8.18; exit 1')
    return folder


def _script(file: Path, line: str) -> None:
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)


def make(checkout: Path, commands: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(shutil.which("make")), "--no-print-directory", *arguments],
        cwd=checkout,
        env={**clean_environment(), "PATH": str(commands), "MAKEFLAGS": ""},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("new", "old", "chosen"),
    [
        (["python3", "python3.12"], [], "python3"),
        (["python3.12"], ["python3"], "python3.12"),
        (["python3.11"], ["python3", "python3.13", "python"], "python3.11"),
        (["python"], [], "python"),
    ],
)
def test_the_first_python_that_fits_makes_the_environment(
    checkout: Path, tmp_path: Path, new: list[str], old: list[str], chosen: str
) -> None:
    done = make(checkout, machine(tmp_path / "bin", new=new, old=old), "--dry-run", "demo")

    assert done.returncode == 0, done.stderr
    assert f"\n{chosen} -m venv .venv\n" in done.stdout


def test_without_a_python_that_fits_it_says_what_is_needed(checkout: Path, tmp_path: Path) -> None:
    commands = machine(tmp_path / "bin", old=["python3", "python"])

    found = make(checkout, commands, "demo")
    named = make(checkout, commands, "demo", "PYTHON=python3")

    for done in (found, named):
        assert done.returncode == 2
        assert "Python 3.11 or later" in done.stderr
        assert "Traceback" not in done.stderr
    assert "make PYTHON=/path/to/python3.12" in found.stderr
    assert "python3 is Python 3.8.18" in named.stderr
    assert not (checkout / ".venv").exists()


def test_what_is_installed_is_not_installed_again(checkout: Path, tmp_path: Path) -> None:
    commands = machine(tmp_path / "bin", new=["python3"])
    (checkout / ".venv").mkdir()
    (checkout / ".venv" / ".installed").touch()

    again = make(checkout, commands, "--dry-run", "demo")
    os.utime(checkout / "requirements.txt", (2**31, 2**31))
    changed = make(checkout, commands, "--dry-run", "demo")

    assert "pip" not in again.stdout
    assert "--require-hashes -r requirements.txt" in changed.stdout


def test_everything_is_checked_and_the_slowest_is_last(checkout: Path, tmp_path: Path) -> None:
    done = make(checkout, machine(tmp_path / "bin", new=["python3"]), "--dry-run", "test")

    steps = ("ruff check", "ruff format --check", "lint-imports", "db check", "mypy", "-m pytest")
    places = [done.stdout.index(step) for step in steps]
    assert places == sorted(places)


def test_what_is_fast_takes_no_second_and_a_check_leaves_nothing_out(
    checkout: Path, tmp_path: Path
) -> None:
    commands = machine(tmp_path / "bin", new=["python3"])
    some, fast, check, test = (
        make(checkout, commands, "--dry-run", *words).stdout.replace("\\\n", "").splitlines()
        for words in (("fast", "TESTS=tests/cli"), ("fast",), ("check",), ("test",))
    )

    quick = test[-1].replace(
        "--durations=10 --durations-min=5", '-q -m "not slow and not postgresql"'
    )
    folders = ["analysis", "cli", "compare", "forecast", "leaderboard", "orchestrator", "viewer"]
    assert fast[-1].split() == [*quick.split(), *(f"--ignore=tests/{name}" for name in folders)]
    assert some[-1].split() == quick.replace(" tests ", " tests/cli ").split()
    assert "mypy" not in "".join(fast)
    assert check[-1] == ".venv/bin/python -m tests.every_python"
    assert check[:-1] == test[:-1]


def test_every_python_that_is_here_is_found_also_those_that_pyenv_keeps_to_itself(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "pyenv" / "versions" / "3.13.2" / "bin"
    for folder in (tmp_path / "bin", kept):
        folder.mkdir(parents=True)
    _script(tmp_path / "bin" / "python3.12", "exit 0")
    _script(tmp_path / "bin" / "python3.13", "echo it is not the version that is chosen; exit 127")
    _script(tmp_path / "bin" / "python3.10", "exit 0")
    _script(kept / "python3.13", "exit 0")

    found = pythons({"PATH": str(tmp_path / "bin"), "PYENV_ROOT": str(tmp_path / "pyenv")})

    assert found == {
        "3.12": str(tmp_path / "bin" / "python3.12"),
        "3.13": str(kept / "python3.13"),
    }


def test_the_reviewers_script_runs_the_readmes_command(checkout: Path, tmp_path: Path) -> None:
    (checkout / ".ci").mkdir()
    script = shutil.copy(ROOT / ".ci" / "run", checkout / ".ci" / "run")
    commands = tmp_path / "bin"
    commands.mkdir()
    _script(commands / "make", 'echo "make $* in $PWD"; cat')

    done = subprocess.run(
        [script], cwd=tmp_path, env=clean_environment(commands), input="typed by nobody",
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == f"make test in {checkout.resolve()}\n"


def test_the_lock_names_hashes_and_no_index() -> None:
    entries = [entry for entry in re.split(r"\n(?=\S)", LOCK.strip()) if entry]

    assert len(entries) > 50
    for entry in entries:
        assert LOCKED.match(entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
    assert "://" not in LOCK
    assert not re.search(r"^\s*--(?!hash=)", LOCK, re.MULTILINE)


def test_the_lock_holds_everything_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    locked: dict[str, list[str]] = {}
    for found in LOCKED.finditer(LOCK):
        locked.setdefault(canonicalize_name(found["name"]), []).append(found["version"])

    for line in [*project["dependencies"], *(line for extra in extras for line in extra)]:
        wanted = Requirement(line)
        versions = locked.get(canonicalize_name(wanted.name))
        assert versions, f"{wanted.name} is not locked: type make lock"
        assert all(v in wanted.specifier for v in versions), f"{line} is locked as {versions}"

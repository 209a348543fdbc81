"""Checks the arena against the newest LiteLLM in the range of pyproject.toml: `make upgrade-check`.

That version gets an environment of its own in `.venv/upgrade`, with the other packages as they are
locked, and in it everything is asked and answered by the lean path and through LiteLLM itself, and
every misbehaviour of a server is read. Nothing of `.venv` or of the lock is changed. It ends with a
line that says what was checked, and another for a version outside the range; with 1 when a test
failed, and with 2 when there is no such environment to be had.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
TESTS = ("tests/llm/providers", "tests/llm/test_misbehaviour.py", "tests/llm/test_client.py")
_QUIETLY = ("--no-header", "--no-annotate", "--no-emit-index-url", "--quiet")
_VERSION = "from importlib.metadata import version; print(version('litellm'))"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.upgrade_check", description=__doc__)
    parser.add_argument(
        "--python", type=Path, help="check what is installed beside this Python; nothing is made"
    )
    parser.add_argument(
        "--tests", nargs=argparse.REMAINDER, default=TESTS, help="which tests, and options"
    )
    asked = parser.parse_args(arguments)
    wanted = in_range(ROOT / "pyproject.toml")
    try:
        python = asked.python or environment(wanted, ROOT / ".venv" / "upgrade")
        version = said_by(str(python), "-c", _VERSION)
    except subprocess.CalledProcessError as error:
        print(f"no environment with {wanted} could be made:\n{error.stderr}", file=sys.stderr)
        return 2
    print(f"LiteLLM {version}, where {wanted} is wanted", flush=True)
    code = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--sweep", *asked.tests],
        cwd=ROOT,
        check=False,
    ).returncode
    ended = "passed" if code == 0 else f"FAILED (exit code {code})"
    print(f"LiteLLM {version}: the conformance suite {ended}")
    if asked.python is None and (beyond := newest("litellm")) not in (None, version):
        print(f"LiteLLM {beyond} is there too, outside of {wanted}: it was not checked")
    return int(code != 0)


def in_range(pyproject: Path) -> str:
    """LiteLLM as the project asks for it: `litellm>=1.106,<1.110`."""
    asked = tomllib.loads(pyproject.read_text())["project"]["dependencies"]
    return next(one for one in asked if one.startswith("litellm"))


def environment(wanted: str, place: Path) -> Path:
    """The Python of a new environment with the newest version of what is wanted, everything else as
    it is locked, and this checkout. Raises CalledProcessError."""
    if place.exists():
        shutil.rmtree(place)
    uv("venv", "--python", sys.executable, str(place))
    python, lock = place / "bin" / "python", place / "requirements.txt"
    shutil.copy(ROOT / "requirements.txt", lock)
    # What is locked already is kept, as far as the new version allows it.
    uv(
        "pip", "compile", "pyproject.toml", "--all-extras", "--upgrade-package", "litellm",
        "--python", str(python), "--generate-hashes", *_QUIETLY, "-o", str(lock),
    )  # fmt: skip
    print(f"installing {wanted} into {place.relative_to(ROOT)} ...", flush=True)
    uv("pip", "install", "--python", str(python), "--require-hashes", "-r", str(lock))
    uv(
        "pip", "install", "--python", str(python),
        "--no-deps", "--no-build-isolation", "--editable", ".",
    )  # fmt: skip
    return python


def newest(wanted: str) -> str | None:
    """The newest version of a package that may be installed here; None where none is found."""
    try:
        found = uv("pip", "compile", "-", "--no-deps", *_QUIETLY, given=wanted)
    except subprocess.CalledProcessError:
        return None
    return found.partition("==")[2].strip() or None


def uv(*arguments: str, given: str | None = None) -> str:
    """What uv prints. Raises CalledProcessError."""
    return said_by(sys.executable, "-m", "uv", *arguments, given=given)


def said_by(*command: str, given: str | None = None) -> str:
    """What a command prints, given this on its standard input. Raises CalledProcessError."""
    done = subprocess.run(
        command, cwd=ROOT, check=True, capture_output=True, text=True, input=given
    )
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())

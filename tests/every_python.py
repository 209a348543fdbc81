"""Runs every test, sweeps included, on every Python that is here: `make check`.

The other Pythons get an environment of their own in `.venv/3.12` and so on, from the same locked
requirements. It ends with a line for each Python, and with 1 when a test failed on any of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
OLDEST, NEWEST = 11, 14


def pythons(environment: Mapping[str, str]) -> dict[str, str]:
    """Versions, such as 3.12, and the first command of each that runs and can make a `.venv`."""
    found = {}
    for minor in range(OLDEST, NEWEST + 1):
        version = f"3.{minor}"
        fits = (
            "import ensurepip, sys, venv; "
            f"sys.exit(sys.version_info[:2] != (3, {minor}) or sys.prefix != sys.base_prefix)"
        )
        for command in _candidates(version, environment):
            done = subprocess.run([command, "-c", fits], capture_output=True, check=False)
            if done.returncode == 0:
                found[version] = command
                break
    return found


def _candidates(version: str, environment: Mapping[str, str]) -> Iterator[str]:
    """Commands of that version on the path, and those that pyenv keeps for itself."""
    if command := shutil.which(f"python{version}", path=environment.get("PATH")):
        yield command
    root = Path(environment.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(root.glob(f"versions/{version}.*/bin/python{version}")))


def main() -> int:
    own = "{}.{}".format(*sys.version_info)
    others = {v: command for v, command in pythons(os.environ).items() if v != own}
    print(f"Every test on Python {', '.join([own, *others])}.", flush=True)
    lines, failed = [], 0
    for version, command in {own: "", **others}.items():
        started = time.monotonic()
        venv = [f"VENV=.venv/{version}", f"PYTHON={command}"] if command else []
        print(f"\nPython {version}", flush=True)
        code = subprocess.run(
            ["make", "--no-print-directory", *venv, "pytest", "TESTS=tests --sweep"],
            cwd=ROOT, check=False,
        ).returncode  # fmt: skip
        failed += code != 0
        ended = "passed" if code == 0 else f"FAILED (exit code {code})"
        lines.append(f"Python {version}: {ended} in {time.monotonic() - started:.0f} s")
    print("\n" + "\n".join(lines))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

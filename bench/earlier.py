"""The arena as it was at an earlier commit, to be measured beside what it is now.

Its code is taken out of the repository's history into a folder, and a process has that folder in
front of everything else on its path: what it imports of the arena is of that commit, the packages
below are those of this environment.
"""

from __future__ import annotations

import subprocess
import tarfile
import tomllib
from pathlib import Path

BEFORE_LEAN = "c7a3847"
"""The last commit at which every call went through `litellm.acompletion`."""

_CHECKOUT = Path(__file__).resolve().parent.parent
_PARTS = ("arena", "db", "migrations", "pyproject.toml")


class NoHistory(Exception):
    """The checkout has no history that reaches the commit; the message says what to type."""


def earlier(commit: str, folder: Path) -> Path:
    """Put the arena of a commit into a new folder there, to be the first on a path.

    Raises NoHistory where the commit cannot be had.
    """
    place = folder / f"arena-{commit}"
    place.mkdir()
    packed = folder / f"arena-{commit}.tar"
    done = subprocess.run(
        ["git", "archive", "--output", str(packed), commit, *_PARTS],
        cwd=_CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoHistory(
            f"the commit {commit}, which is measured beside this one, is not in this checkout "
            f"({done.stderr.strip().splitlines()[-1]}); type: git fetch --unshallow"
        )
    with tarfile.open(packed) as archive:
        archive.extractall(place, filter="data")
    packed.unlink()
    _describe(place)
    return place


def _describe(place: Path) -> None:
    """Write its plug-ins where Python looks for them: they are found by a package's metadata."""
    project = tomllib.loads((place / "pyproject.toml").read_text())["project"]
    package = place / "llm_arena-0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: llm-arena\nVersion: 0\n")
    lines = []
    for group, found in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in found.items())]
    (package / "entry_points.txt").write_text("\n".join(lines) + "\n")

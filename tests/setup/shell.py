"""A shell for what documents tell people to type, and the code blocks to type from."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_BLOCK = re.compile(
    r"^(?:<!-- tour: (?P<note>[^\n]*) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_EXPECTED = re.compile(r"  # exit code (\d+)$")
_SAID = "a command ended with"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block; `note` is what the comment `<!-- tour: ... -->` before it says."""

    language: str
    text: str
    note: str

    @property
    def commands(self) -> list[str]:
        return [line for line in self.text.splitlines() if line and not line.startswith("#")]


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a Markdown page, in order."""
    return [
        Block(found["language"], found["text"], found["note"] or "")
        for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))
    ]


@dataclass(frozen=True, slots=True)
class Typed:
    """A command, its exit code, the one its line announces, and all that it printed."""

    command: str
    status: int
    expected: int
    output: str


def type_all(
    commands: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> dict[str, Typed]:
    """Type commands into one shell, one after another; it ends with them or with the first that
    ends with another code than its line announces (`# exit code 2`)."""
    expected = [int(found[1]) if (found := _EXPECTED.search(c)) else 0 for c in commands]
    script = "".join(
        f'{command}\nset -- "$?"; echo; echo "{_SAID} $1"; [ "$1" = {status} ] || exit\n'
        for command, status in zip(commands, expected, strict=True)
    )
    done = subprocess.run(
        [shutil.which("sh") or "sh", "-c", script],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
    )
    *parts, rest = re.split(rf"\n{_SAID} (\d+)\n", done.stdout)
    assert len(parts) // 2 == len(commands) or parts, rest
    return {
        command: Typed(command, int(status), status_expected, output)
        for command, status_expected, output, status in zip(
            commands, expected, parts[::2], parts[1::2], strict=False
        )
    }


def clean_environment(*first_on_path: Path) -> dict[str, str]:
    """The environment without what points at this checkout, its packages or anybody's database."""
    dropped = ("ARENA_", "PYTHON", "VIRTUAL_ENV", "VENV", "TESTS", "PYTEST", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    path = [*map(str, first_on_path), kept.get("PATH", os.defpath)]
    return {**kept, "PATH": os.pathsep.join(path)}


def tracked_files() -> list[Path]:
    """What belongs to the project: what git knows and does not ignore, or every file where there
    is no git."""
    listed = None
    if (ROOT / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if listed is not None and listed.returncode == 0:
        names = [name for name in listed.stdout.split("\0") if name]
        return [ROOT / name for name in names if (ROOT / name).is_file()]
    hidden = {".venv", ".git", "__pycache__", "build", "dist"}
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file()
        and not hidden & set(path.relative_to(ROOT).parts)
        and not any(part.endswith("_cache") for part in path.parts)
    ]

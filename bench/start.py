"""What a command costs before and beside its work: CPU seconds of whole processes.

Each command runs on a small tournament, so that nearly all of it is Python, its imports and the
opening of a database; a bare interpreter stands beside the first, because it is part of each.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measure import Row, children_cpu, median
from bench.workers import Workers

PART = "start"

TOURNAMENT = """\
name: small
seed: 3
environment: {name: TicTacToe-v0, players: 2}
games: 6
models:
  - {name: random, litellm_model: scripted/random}
prompts:
  - {name: plain, text: "You are player {{player_index}}."}
agents:
  - {name: Ann, model: random, prompt: plain}
  - {name: Bob, kind: remembering, model: random, prompt: plain}
"""

# What is typed in a folder with the tournament, the same misspelled, and its database; the exit
# code, and the most seconds of CPU that are promised.
COMMANDS = (
    ("arena --help", 0, 0.3),
    ("arena games", 0, 0.8),
    ("arena show 1", 0, 0.8),
    ("arena agents list", 0, 0.8),
    ("arena tournaments list", 0, 0.8),
    ("arena leaderboard --system trueskill", 0, 0.8),
    ("arena leaderboard", 0, 0.8),
    ("arena run misspelled.yaml", 2, 1.0),
    ("arena plan misspelled.yaml", 2, 1.0),
    ("arena run small.yaml", 0, None),
    ("arena run small.yaml --dry-run", 0, None),
    ("arena plan small.yaml", 0, None),
    ("arena run small.yaml --db new.db", 0, 4.0),
)


def command() -> list[str]:
    """The installed script where it is, else the module behind it."""
    script = Path(sys.executable).parent / "arena"
    return [str(script)] if script.exists() else [sys.executable, "-m", "arena.cli"]


def cpu_of(arguments: list[str], folder: Path | None = None, code: int = 0) -> float:
    """Seconds of CPU of a process from its start to its end. Raises RuntimeError unless it ends
    with `code`."""
    before = children_cpu()
    done = subprocess.run(
        arguments,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "COLUMNS": "100", "ARENA_DATABASE_URL": "sqlite:///arena.db"},
    )
    if done.returncode != code:
        raise RuntimeError(f"{arguments} ended with {done.returncode}: {done.stderr!r}")
    return children_cpu() - before


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """One row for each command; in toy size, for the one that needs no database."""
    if toy:
        return [_row(Path(), *COMMANDS[0], times=1)]
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "small.yaml").write_text(TOURNAMENT)
        (folder / "misspelled.yaml").write_text(TOURNAMENT.replace("TicTacToe", "TikTakToe"))
        cpu_of([*command(), "run", "small.yaml"], folder)
        return [_row(folder, *line, times=5) for line in COMMANDS]


def _row(folder: Path, line: str, code: int, most: float | None, *, times: int) -> Row:
    used, bare = [], []
    for _ in range(times):
        for file in folder.glob("new.db*"):
            file.unlink()
        used.append(cpu_of([*command(), *line.split()[1:]], folder, code))
        bare.append(cpu_of([sys.executable, "-c", "pass"]))
    return Row(
        PART,
        f"CPU of `{line}`",
        used,
        unit="s",
        target=most,
        at_most=True,
        numbers={"a bare interpreter s": median(bare)},
    )

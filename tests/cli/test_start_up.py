"""What a command imports, command by command in one process, and what it does not wait for."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from db import Repository, get_session
from tests.cli.commands import TOURNAMENT

# Each takes a tenth of a second of CPU at least, most of them a whole one.
HEAVY = (
    *("aiohttp", "arena.orchestrator", "httpx", "litellm", "matplotlib", "nltk", "numpy", "openai"),
    *("pandas", "scipy.sparse", "scipy.special", "scipy.stats", "sklearn", "sqlalchemy"),
    *("sqlalchemy.dialects.postgresql", "textarena"),
)

TYPED = """
import json, shlex, sys
from arena.cli import main
heavy, found = json.loads(sys.argv[1]), []
for line in json.loads(sys.argv[2]):
    sys.argv = ["arena", *shlex.split(line)]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code
    found.append((code, [name for name in heavy if name in sys.modules]))
print(json.dumps(found), file=sys.stderr)
"""


def imported(*lines: str) -> list[tuple[int, set[str]]]:
    """The exit code of each line that is typed, and what is imported when it has run."""
    command = [sys.executable, "-c", TYPED, json.dumps(HEAVY), json.dumps(lines)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [(code, set(names)) for code, names in json.loads(done.stderr.splitlines()[-1])]


# What is wrong with a file and can be told from its text and from what packages register.
WRONG = {
    "a matchmaker": ("name: round-robin", "name: rund-robin"),
    "an environment": ("TicTacToe-v0", "TicTakToe-v0"),
    "an environment unlike any": ("TicTacToe-v0", "Zzzz"),
    "a kind of agent": ("kind: remembering", "kind: remembring"),
    "an agent twice": ("name: Bob", "name: Ann"),
    "a scripted model": ("scripted/random", "scripted/rndom"),
    "a variable of a prompt": ("{{player_index}}", "{{player_idx}}"),
    "a setting": ("seed: 3", "sed: 3"),
    "a value": ("games: 6", "games: six"),
    "YAML": ("seed: 3", "seed: [3"),
}


def test_what_is_wrong_with_a_file_is_told_before_anything_is_imported(tmp_path: Path) -> None:
    lines = []
    for what, (right, wrong) in WRONG.items():
        file = tmp_path / f"{what}.yaml"
        assert right in TOURNAMENT
        file.write_text(TOURNAMENT.replace(right, wrong))
        lines += [shlex.join([command, str(file)]) for command in ("run", "plan")]
    file = tmp_path / "a matchmaker.yaml"
    lines.append(shlex.join(["run", "--dry-run", str(file)]))

    assert dict(zip(lines, imported(*lines), strict=True)) == dict.fromkeys(lines, (2, set()))


@pytest.mark.slow
def test_a_command_imports_what_it_needs(played: str, config: Path, tmp_path: Path) -> None:
    fresh = shutil.copy(played, tmp_path / "fresh.db")
    with get_session(fresh) as session:
        Repository(session).forget_boards()
    reading = (
        "games",
        "show 1",
        "agents list",
        "tournaments list",
        "models list",
        "templates list",
        "db current",
    )

    for_reading = imported(*(f"{line} --db {played}" for line in reading))
    (board,) = imported(f"leaderboard --db {fresh}")
    (stored,) = imported(f"leaderboard --db {fresh}")
    (again,) = imported(f"run {config} --db {fresh}")

    assert for_reading == [(0, {"sqlalchemy"})] * len(reading)
    assert board == (0, {"sqlalchemy", "numpy", "scipy.special", "scipy.sparse"})
    # What was computed once is read.
    assert stored == (0, {"sqlalchemy", "numpy"})
    # A tournament that is finished asks nobody.
    assert again[0] == 0
    assert not again[1] & {"aiohttp", "litellm", "nltk", "openai", "pandas", "sklearn"}


@pytest.mark.slow
def test_textarena_leaves_the_word_lists_to_the_games_that_ask_for_them() -> None:
    code = (
        "import sys\n"
        "from arena.environments.textarena_import import import_textarena\n"
        "ta = import_textarena()\n"
        "assert 'Wordle-v0' in ta.envs.registration.ENV_REGISTRY\n"
        "assert not {'nltk', 'pandas', 'scipy', 'sklearn'} & set(sys.modules)\n"
        "lists = sys.modules['textarena.envs.utils.word_lists']\n"
        "assert not hasattr(lists, '__path__') and 'nltk' not in sys.modules\n"
        "from textarena.envs.utils.word_lists import EnglishDictionary\n"
        "assert lists.EnglishDictionary is EnglishDictionary\n"
        "assert EnglishDictionary.__module__ == lists.__name__ and 'nltk' in sys.modules\n"
        "assert lists.__file__.endswith('word_lists.py') and not hasattr(lists, 'nothing')\n"
        "assert import_textarena() is ta\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

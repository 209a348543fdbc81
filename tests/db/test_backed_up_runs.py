"""A run that was backed up or copied while it played goes on elsewhere, to the same end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.commands import run_arena
from tests.viewer.live import KEY, Evening
from torture.commands import Commands
from torture.facts import read_facts


@pytest.fixture
def copy_url(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """An empty database of the other kind."""
    if database_url.startswith("sqlite"):
        return str(request.getfixturevalue("empty_postgresql_url"))
    return f"sqlite:///{tmp_path / 'copy.db'}"


@pytest.mark.slow
@pytest.mark.usefixtures("postgresql_client")
def test_a_run_that_was_backed_up_goes_on_elsewhere_to_the_same_end(
    commands: Commands,
    database_url: str,
    other_database_url: str,
    copy_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ARENA_TEST_KEY", KEY)
    kept = tmp_path / "kept"
    kept.mkdir()
    with Evening(commands, tmp_path, database_url, first=9) as evening, evening.played() as run:
        evening.wait_until_held()
        made = run_arena("db", "backup", "--to", kept, "--db", database_url, "--json")
        assert made.exit_code == 0, made.stderr
        copied = run_arena("db", "copy", database_url, copy_url)
        assert copied.exit_code == 0, copied.stderr
        assert run.running(), "nobody waited for anybody"
        evening.go_on()
        assert run.wait().code == 0
        backup = json.loads(made.stdout)
        assert 0 < backup["rows"]["game_turns"] < 30

        restored = run_arena("db", "restore", backup["backup"], "--db", other_database_url)
        assert restored.exit_code == 0, restored.stderr
        unfinished = read_facts(other_database_url, "evening").games
        for url in (other_database_url, copy_url):
            rest = run_arena("resume", "--db", url)
            assert rest.exit_code == 0, rest.stderr

    first = read_facts(database_url, "evening")
    assert len(unfinished) < len(first.games) == 6
    assert read_facts(other_database_url, "evening") == first, "restored from a backup"
    assert read_facts(copy_url, "evening") == first, "copied into the other kind"

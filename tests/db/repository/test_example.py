"""`python -m db.example`: the whole Repository in one program, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from db import Repository, get_session
from db.example import FILE, main


def test_the_example_writes_a_game_and_prints_what_is_on_record(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([database_url]) == 0
    first = capsys.readouterr().out.splitlines()
    assert main([database_url]) == 0
    second = capsys.readouterr().out.splitlines()

    assert first[0] == "Active models:  cerebras-llama3.1-8b, gpt-4o-mini"
    assert "  Game 1: Villager won" in first
    assert "  18 turns, 18 calls, 2700 tokens" in first
    assert "  Turn 1, player 0: {'day': 1, 'alive': [0, 1, 2, 3, 4, 5]}" in first[15]
    # 25 + 1 or 25 - 2, less three times 25/3 * 0.95.
    shown = [line.rsplit(": ", 1)[1] for line in first[-8:-2]]
    assert shown == ["2.25"] * 4 + ["-0.75"] * 2
    assert second[:3] == first[:3]
    assert second[4:7] == [
        "Completed games, the newest first:", "  Game 2: Villager won", "  Game 1: Villager won",
    ]  # fmt: skip
    with get_session(database_url) as session:
        repo = Repository(session)
        assert len(repo.get_agents()) == 6
        assert sorted(player.role or "" for player in repo.get_game_players(2)) == [
            *["Mafia"] * 2, *["Villager"] * 4,
        ]  # fmt: skip


def test_without_a_database_it_makes_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main([]) == 0

    assert capsys.readouterr().out.endswith(f"\nAll of it is in {FILE}.\n")
    assert (tmp_path / FILE).is_file()


def test_what_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = tmp_path / "notes.db"
    notes.write_text("not a database")

    assert main([str(notes)]) == 2

    assert "is not an SQLite database" in capsys.readouterr().err
    assert notes.read_text() == "not a database"

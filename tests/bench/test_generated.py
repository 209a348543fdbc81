"""Generated databases are of real games, the same for the same seed, and kept for the next time."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from arena.leaderboard.rebuild import rebuild
from arena.llm.request_hash import request_hash
from arena.orchestrator import run
from arena.replay.events import rebuild_events
from bench.generated import Scale, cached, config, generate
from bench.generated.__main__ import main
from db import Database, Repository, get_session
from db.maintenance.verify import verify
from db.queries.events import events
from db.queries.games import games
from db.queries.transcript import transcript
from db.selection import Selection

pytestmark = pytest.mark.slow

SCALE = Scale(games=20, agents=12, tournaments=2, sources=4, left=1)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """20 games of two tournaments that have 11 places each."""
    file = tmp_path_factory.mktemp("generated") / "arena.db"
    generate(file, SCALE)
    return file


def rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite3.connect(file)
    names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    found = {
        name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
        for (name,) in names
        # When a prompt was entered can not be changed.
        if name != "prompts" and not name.startswith("sqlite_")
    }
    connection.close()
    return found


@pytest.mark.sweep
def test_the_same_seed_gives_the_same_rows(generated: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.db"
    generate(again, SCALE)

    assert rows(again) == rows(generated)


def test_every_game_is_whole_and_tells_its_events_when_it_is_played_again(generated: Path) -> None:
    with Database(generated) as database:
        told = [found for _, found in rebuild_events(database, Selection(), check=True)]
        assert [each.ok for each in told] == [True] * 20
        assert all(each.events > 20 for each in told)
        assert verify(database, request_hash).damage == ()
        with database.session() as session:
            said = transcript(session, 17)[-1]
            assert (said.action or "").endswith(" case17")
            assert said.calls[-1].text == (said.action or "").removesuffix(" case17")


def test_ratings_and_counters_are_those_of_the_games(generated: Path) -> None:
    assert not rebuild(generated, check=True).differences
    with get_session(generated) as session:
        assert [Repository(session).check_counters(key) for key in (1, 2)] == [(10, [])] * 2
        found = games(session, Selection(status="completed"))
    assert {row.winning_team for row in found} == {"Mafia", "Village"}
    for row in found:
        # Each plays as the agent of its kind and model played.
        kinds = sorted((player.agent_id - 1) % 6 for player in row.players)
        assert kinds == [0, 1, 2, 3, 4, 5]


def test_what_is_left_of_a_tournament_can_be_played(generated: Path, tmp_path: Path) -> None:
    file = tmp_path / "resumed.db"
    file.write_bytes(generated.read_bytes())

    summary = asyncio.run(run(config(SCALE, 1), url=file))

    assert (summary.games_completed, summary.games_void) == (1, 0)
    assert not rebuild(file, check=True).differences


@pytest.mark.sweep
def test_only_the_newest_games_may_have_texts(tmp_path: Path) -> None:
    file = tmp_path / "arena.db"
    generate(file, Scale(games=20, agents=6, tournaments=1, sources=2, texts=3))

    with get_session(file) as session:
        whole = [number for number in range(1, 21) if transcript(session, number)]
        told = [number for number in range(1, 21) if events(session, number)]
    assert whole == told == [1, 2, 18, 19, 20]


@pytest.mark.sweep
def test_a_database_is_kept_for_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ARENA_BENCH_CACHE", str(tmp_path / "kept"))
    scale = Scale(games=6, agents=6, tournaments=1, sources=2)
    old = tmp_path / "kept" / "6-6-1-2-0-0-1-1.0.0001.db"
    old.parent.mkdir()
    old.write_bytes(b"of an earlier release")

    file = cached(scale)
    made = file.stat().st_mtime_ns
    main(["--games", "6", "--agents", "6", "--tournaments", "1", "--sources", "2"])

    assert capsys.readouterr().out == f"{file}\n"
    assert file.stat().st_mtime_ns == made
    assert [*old.parent.iterdir()] == [file]


def test_what_does_not_divide_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--games", "1001"])
    assert "expected a multiple of the 10 tournaments" in capsys.readouterr().err

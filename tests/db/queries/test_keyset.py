"""Pages of games start where the one before ended, by an index, with and without statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from arena.analysis import games_df, in_chunks, turns_df
from bench.generated import Scale, generate
from db import get_engine, get_session
from db.queries.games import games
from db.queries.keyset import games_after, newest_games
from db.selection import Selection
from db.session import Session

SCALE = Scale(games=2_000, agents=42, tournaments=4, sources=8, texts=8, rated=False)
ASKED = (
    Selection(),
    Selection(tournament="cup 1"),
    Selection(tournament=["cup 0", "cup 3"]),
    Selection(agent="agent 007"),
    Selection(agent="agent 007", role="Mafia"),
    Selection(prompt=["p1", "p2"]),
    Selection(agent=["agent 001", "agent 002"], tournament="cup 0"),
    Selection(environment="SecretMafia-v0-mended"),
    Selection(status="completed"),
    Selection(model="model-1", result="win"),
)


@pytest.fixture(params=["sqlite", "postgresql"], scope="module")
def generated(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """2,000 games of 40 agents in 4 tournaments."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('keyset') / 'generated.db'}"
        generate(url, SCALE)
        yield url
        return
    fresh = request.getfixturevalue("fresh_postgresql")
    with fresh("template0") as url:
        generate(url, SCALE)
        yield url


@pytest.mark.slow
def test_pages_are_the_whole_list(generated: str) -> None:
    with get_session(generated) as session:
        for selection in ASKED:
            chosen, paged, last = selection.on(session), list[int](), None
            while page := newest_games(session, chosen, 450, last):
                paged += page
                last = page[-1]
            assert paged == games_after(session, chosen, 2_000)[::-1], selection
        first = games(session, limit=2)
        assert [row.game_id for row in first] == [2_000, 1_999]
        assert [row.game_id for row in games(session, limit=2, before=1_999)] == [1_998, 1_997]
        rare = Selection(agent="agent 007", result="loss")
        assert [row.game_id for row in games(session, rare, limit=3)] == [
            row.game_id for row in games(session, rare)
        ][:3]


@contextmanager
def plans_of(engine: Engine) -> Iterator[list[str]]:
    """What the database does for each statement of a block."""
    found: list[str] = []
    explain = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "

    @event.listens_for(engine, "before_cursor_execute")
    def _explain(connection: Any, cursor: Any, statement: str, values: Any, *_: Any) -> None:
        cursor.execute(explain + statement, values)
        found.append("\n".join(str(row[-1]) for row in cursor.fetchall()))

    yield found
    event.remove(engine, "before_cursor_execute", _explain)


@pytest.mark.slow
def test_pages_are_found_by_an_index_with_and_without_statistics(generated: str) -> None:
    engine = get_engine(generated)
    sqlite = engine.dialect.name == "sqlite"
    for statistics in (True, False):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if statistics:
                connection.execute(text("ANALYZE"))
            elif sqlite:
                connection.execute(text("DROP TABLE sqlite_stat1"))
            else:
                connection.execute(text("DELETE FROM pg_statistic"))
        with Session(engine) as session:
            for selection in ASKED:
                chosen = selection.on(session)
                with plans_of(engine) as plans:
                    assert newest_games(session, chosen, 5, 1_000)
                plan = "\n".join(each for each in plans if "game" in each)
                assert "SCAN games\n" not in f"{plan}\n", (statistics, selection, plan)
                assert "TEMP B-TREE" not in plan, (statistics, selection, plan)
                assert "Seq Scan on games" not in plan, (statistics, selection, plan)
                assert "Seq Scan on game_players" not in plan, (statistics, selection, plan)
                # The server sorts the games that an index finds where it believes them to be few:
                # those of one agent and, of so few games without statistics, of one tournament.
                few = selection.agent or selection.prompt or selection.model or not statistics
                if sqlite or not few:
                    assert "Sort" not in plan, (statistics, selection, plan)
    engine.dispose()


@pytest.mark.slow
def test_frames_come_in_pieces_of_whole_games(generated: str) -> None:
    pieces = [*in_chunks(games_df, generated, games=300, tournament="cup 1")]
    assert [len(piece) for piece in pieces] == [300, 200]
    whole = games_df(generated, tournament="cup 1")
    assert [number for piece in pieces for number in piece.game_id] == whole.game_id.tolist()
    first = next(
        in_chunks(turns_df, generated, games=7, options={"observations": True}, role="Doctor")
    )
    assert first.observation.notna().all()
    assert set(first.role) == {"Doctor"}

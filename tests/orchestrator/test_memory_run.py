"""Tournaments with agents that remember: one game after the other, the same at any concurrency, on
every executor, killed and resumed; replayed and branched from the record."""

from __future__ import annotations

import asyncio
import itertools
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig, loads
from arena.core.memory import Memory, memory_given, memory_kept
from arena.orchestrator import run
from arena.replay.branch import branch
from arena.replay.check import check
from db import Database, Recorder, Session, get_session
from db.fold import Fold
from db.leases import Lease
from db.queries.transcript import TurnRow, transcript
from db.writer.subject import Record
from tests.selecting import sampled

LEARNERS = """
name: learners
seed: 7
environment: {name: TicTacToe-v0, players: 2}
games: 6
concurrency: 4
executor: local
matchmaker: {name: random}
models:
  - {name: learner, litellm_model: scripted/learner}
  - {name: naive, litellm_model: scripted/random}
prompts:
  - {name: plain, text: "You are player {{player_index}} of {{num_players}}."}
agents:
  - {name: Ann, kind: learning, model: learner, prompt: plain, options: {items: 5, shown: 2}}
  - {name: Bob, kind: learning, model: learner, prompt: plain, options: {ttl_games: 2}}
  - {name: Cid, model: naive, prompt: plain}
"""


def learners(*changes: tuple[str, str]) -> TournamentConfig:
    written = LEARNERS
    for before, after in changes:
        assert before in written
        written = written.replace(before, after)
    return loads(written, source="learners.yaml")


def turns(url: str) -> list[TurnRow]:
    """Every turn of every game, games in schedule order."""
    with get_session(url) as session:
        query = text("SELECT id FROM games ORDER BY schedule_index, attempt")
        games = session.connection().execute(query).scalars().all()
        return [turn for game in games for turn in transcript(session, game)]


def everything(url: str) -> list[Any]:
    """All that must not depend on times, nor on the numbers of rows."""
    return [
        (
            turn.turn_number,
            turn.player_index,
            turn.action,
            turn.reading,
            [(c.call_number, c.request_hash, c.text) for c in turn.calls if c.answered],
        )
        for turn in turns(url)
    ]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/whole.db"
    asyncio.run(run(learners(), url=url))
    return url


def test_an_agent_brings_what_it_kept_into_its_next_game(undisturbed: str) -> None:
    with get_session(undisturbed) as session:
        query = text(
            "SELECT g.id, g.schedule_index, p.player_index FROM games g JOIN game_players p ON "
            "p.game_id = g.id JOIN agents a ON a.id = p.agent_id WHERE a.alias = 'Ann' ORDER BY 2"
        )
        seats = session.connection().execute(query).all()
        readings = [
            next(t for t in transcript(session, game) if t.player_index == player).reading
            for game, _, player in seats
        ]
    assert len(seats) > 2
    assert memory_given(readings[0]) == Memory()
    for number in range(1, len(seats)):
        given, before = memory_given(readings[number]), memory_kept(readings[number - 1])
        assert given is not None
        assert before is not None
        assert given.games == number
        assert given.points == before.points
        assert given.last is not None
        assert given.last.place == seats[number - 1][1]
        assert "you finished" in given.last.result
    kept = memory_kept(readings[-1])
    assert kept is not None
    assert kept.points
    assert max(point.shown for point in kept.points) > 1


def test_games_are_played_one_after_the_other_in_the_order_of_the_schedule(
    undisturbed: str,
) -> None:
    with get_session(undisturbed) as session:
        query = text("SELECT started_at, finished_at FROM games ORDER BY schedule_index")
        times = session.connection().execute(query).all()
    for (_, ended), (began, _) in itertools.pairwise(times):
        assert ended <= began


@pytest.mark.parametrize(
    ("concurrency", "executor"),
    [(1, "local"), pytest.param(3, "processes", marks=pytest.mark.slow)],
)
def test_the_same_games_whatever_plays_them(
    undisturbed: str, database_url: str, concurrency: int, executor: str
) -> None:
    config = learners(
        ("concurrency: 4", f"concurrency: {concurrency}"),
        ("executor: local", f"executor: {executor}"),
    )
    asyncio.run(run(config, url=database_url))

    assert everything(database_url) == everything(undisturbed)


def test_a_game_is_replayed_from_its_own_record(undisturbed: str, tmp_path: Path) -> None:
    alone = tmp_path / "alone.db"
    shutil.copyfile(undisturbed.removeprefix("sqlite:///"), alone)
    with get_session(f"sqlite:///{alone}") as session:
        session.connection().execute(text("DELETE FROM games WHERE schedule_index < 5"))
        session.commit()
        game = session.connection().execute(text("SELECT id FROM games")).scalar_one()

    assert check(game, f"sqlite:///{alone}").first_difference is None


@pytest.mark.slow
@pytest.mark.parametrize("share", sampled(range(12), one_in=12))
def test_it_does_not_matter_after_which_commit_a_process_ends(
    undisturbed: str, tmp_path: Path, share: int
) -> None:
    commits: list[Sequence[Record]] = []

    class Listening(Recorder):
        def append(self, *records: Record) -> asyncio.Future[None]:
            if records:
                commits.append(records)
            return super().append(*records)

    class Listened(Database):
        def recorder(
            self, fold: Fold | None = None, *, lease: Lease | None = None, delegates: bool = False
        ) -> Recorder:
            return Listening(self.url, fold, lease=lease, delegates=delegates)

    asyncio.run(run(learners(), url=f"sqlite:///{tmp_path}/entered.db", games=0))
    with Listened(f"sqlite:///{tmp_path}/whole.db") as database:
        asyncio.run(run(learners(), url=database))
    expected = everything(undisturbed)
    assert len(commits) > 60

    for ended in range(1 + 3 * share, len(commits), 36):
        url = f"sqlite:///{tmp_path}/{ended}.db"
        shutil.copyfile(tmp_path / "entered.db", tmp_path / f"{ended}.db")
        asyncio.run(_written(commits[:ended], url))
        asyncio.run(run(learners(), url=url))

        assert everything(url) == expected, f"after {ended} of {len(commits)} commits"


async def _written(commits: Sequence[Sequence[Record]], url: str) -> None:
    async with Recorder(url) as recorder:
        for records in commits:
            await recorder.append(*records)


def test_a_branch_knows_what_its_game_was_given(undisturbed: str, tmp_path: Path) -> None:
    copied = tmp_path / "branched.db"
    shutil.copyfile(undisturbed.removeprefix("sqlite:///"), copied)
    url = f"sqlite:///{copied}"
    with get_session(url) as session:
        query = text(
            "SELECT p.game_id, p.player_index FROM game_players p JOIN agents a ON "
            "a.id = p.agent_id WHERE a.alias IN ('Ann', 'Bob') AND p.player_index = 1 "
            "AND NOT EXISTS (SELECT 1 FROM game_players o JOIN agents b ON b.id = o.agent_id "
            "WHERE o.game_id = p.game_id AND b.alias = 'Cid') ORDER BY p.game_id DESC"
        )
        game, player = session.connection().execute(query).first() or (0, 0)
        given = _given(session, game, player)
    assert given is not None
    assert given.games

    report = asyncio.run(branch(game, 0, {0: "Cid"}, url=url, control=False))

    with get_session(url) as session:
        assert report.branches
        for played in report.branches:
            assert _given(session, played, player) == given
            assert check(played, url).first_difference is None


def _given(session: Session, game: int, player: int) -> Memory | None:
    seat = (turn for turn in transcript(session, game) if turn.player_index == player)
    return memory_given(next(seat).reading)

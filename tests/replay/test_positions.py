"""Where games stood is counted when they finish; the chances of a game are read from that."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlmodel import select

from arena import registry
from arena.orchestrator import run
from arena.replay.positions import count_positions, recounted
from arena.reports.chances import BLEND, chances, events_read, left_out
from bench.generated import Scale, config, generate
from db import Database, Game, Session
from db.queries.events import events
from db.queries.positions import roles
from db.selection import Selection

pytestmark = pytest.mark.slow

SCALE = Scale(games=12, agents=6, tournaments=2, sources=4, left=1)


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """12 games of two tournaments that have 7 places each."""
    file = tmp_path_factory.mktemp("positions") / "arena.db"
    generate(file, SCALE)
    return file


@pytest.fixture
def copy(generated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(generated, tmp_path / "copy.db"))


def told_by_hand(session: Session, without: int) -> tuple[Counter[str], Counter[str]]:
    """How many games stood in a position and how many the Village won, from their events."""
    name = "SecretMafia-v0-mended"
    rules = registry.load("environments", name)(name=name)
    stood: Counter[str] = Counter()
    won: Counter[str] = Counter()
    finished = select(Game).where(Game.status == "completed", Game.id != without)
    for game in session.exec(finished):
        told = events_read(events(session, game.id))
        for position in {each.name for each in rules.positions(told, roles(session, game.id))}:
            stood[position] += 1
            won[position] += game.winning_team == "Village"
    return stood, won


def test_chances_are_blended_with_every_other_game_that_stood_alike(generated: Path) -> None:
    with Database(generated) as database, database.session() as session:
        found = chances(session, 3)
        stood, won = told_by_hand(session, without=3)
        assert not left_out(session, 3)
    assert [(each.games, each.won) for each in found] == [
        (stood[each.name], won[each.name]) for each in found
    ]
    first = found[0]
    assert first.games == 11
    assert first.chance == (BLEND * first.random + first.won) / (BLEND + first.games)


def test_a_game_is_counted_in_the_transaction_that_finishes_it(copy: Path) -> None:
    with Database(copy) as database:
        with database.session() as session:
            before = chances(session, 3)[0]
        asyncio.run(run(config(SCALE, 1), url=database))
        with database.session() as session:
            after = chances(session, 3)[0]
            stood, won = told_by_hand(session, without=3)
        assert after.games == before.games + 1
        assert (after.games, after.won) == (stood[after.name], won[after.name])
        assert recounted(database, check=True) == []


def test_games_of_an_earlier_release_are_counted_on_request(copy: Path) -> None:
    with Database(copy) as database:
        with database.session() as session:
            whole = chances(session, 3)
            session.execute(text("UPDATE games SET positions = NULL WHERE id > 6"))
            session.execute(text("DELETE FROM position_counts WHERE tournament_id = 2"))
        with database.session() as session:
            assert left_out(session, 3)
            assert chances(session, 3)[0].games == 5
        assert count_positions(database, Selection()) == 6
        assert count_positions(database, Selection()) == 0
        with database.session() as session:
            assert not left_out(session, 3)
            assert chances(session, 3) == whole
        assert recounted(database, check=True) == []


def test_counters_that_are_wrong_are_found_and_counted_again(copy: Path) -> None:
    with Database(copy) as database:
        with database.session() as session:
            whole = chances(session, 3)
            session.execute(text("UPDATE position_counts SET won = won + 1 WHERE team = 'Village'"))
        wrong = recounted(database, check=True)
        assert {each.stored[1] - each.counted[1] for each in wrong} == {1}
        assert recounted(database, check=False) == wrong
        assert recounted(database, check=True) == []
        with database.session() as session:
            assert chances(session, 3) == whole

"""An agent is placed against a reference pool by a schedule that anybody can play again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import text

from arena.compare import Placement, PlacingQuestion, answer_placing, configure_placing
from arena.config import parse
from arena.core import ConfigError, UsageError
from arena.orchestrator import run
from db import get_session
from db.errors import BadSelection

CID, DOT = PlacingQuestion("Cid", "noughts"), PlacingQuestion("Dot", "noughts")


def tournament(name: str, agents: tuple[str, ...], games: int, **rest: Any) -> dict[str, Any]:
    return {
        "name": name,
        "environment": {"name": "TicTacToe-v0", "players": 2},
        "games": games,
        "models": [{"name": "random", "litellm_model": "scripted/random"}],
        "prompts": [{"name": agent, "text": f"You are {agent}."} for agent in agents],
        "agents": [{"name": agent, "model": "random", "prompt": agent} for agent in agents],
        **rest,
    }


def play(url: str, data: dict[str, Any], games: int | None = None) -> None:
    asyncio.run(run(parse(data), url=url, games=games))


def place(url: str, question: PlacingQuestion, games: int | None = None) -> Placement:
    config = configure_placing(url, question)
    asyncio.run(run(config, url=url, games=games))
    return answer_placing(url, question, config)


POOL = tournament(
    "reference", ("Ann", "Bob"), 16, pool={"name": "noughts", "frozen": True, "games": 8}
)


@pytest.fixture
def url(sqlite_url: str) -> str:
    """A pool of two, and two newcomers who have met each other."""
    play(sqlite_url, POOL)
    play(sqlite_url, tournament("newcomers", ("Cid", "Dot"), 2))
    return sqlite_url


def schedule(url: str, name: str) -> list[tuple[object, ...]]:
    """The seed of every game and the names of its players in order."""
    query = text(
        "SELECT g.seed, p.player_index, a.alias FROM games g JOIN tournaments t "
        "ON t.id = g.tournament_id JOIN game_players p ON p.game_id = g.id "
        "JOIN agents a ON a.id = p.agent_id WHERE t.name = :name ORDER BY g.schedule_index, 2"
    )
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(query, {"name": name})]


@pytest.mark.slow
def test_who_is_placed_plays_the_same_games_and_moves_nobody(url: str) -> None:
    part = place(url, CID, games=3)
    cid = place(url, CID)
    dot = place(url, DOT)

    assert (part.settled, part.finished) == (3, False)
    assert any("5 of its 8 games are open" in note for note in part.notes)
    assert (cid.settled, cid.games, cid.void, cid.finished) == (8, 8, 0, True)
    assert (cid.pool_games, cid.dollars, cid.seed) == (16, 0.0, dot.seed)
    assert cid.found is not None
    assert cid.found.low < cid.found.rating < cid.found.high
    assert 1 <= (cid.best_rank or 0) <= (cid.worst_rank or 0) <= 3
    # Each opponent from each place, on seeds that do not ask who it is.
    first, second = (schedule(url, found.tournament) for found in (cid, dot))
    assert [(*row[:2], str(row[2]).replace("Cid", "Dot")) for row in first] == second
    assert sum(row[1:] == (0, "Cid") for row in first) == 4
    for opponent in ("Ann", "Bob"):
        assert sum(row[2] == opponent for row in first) == 4
    # The pool stays where it was, and so does a placement beside another.
    assert {member.name for member in cid.members} == {"Ann", "Bob"}
    assert sum(member.rating for member in cid.members) == pytest.approx(50)
    assert cid.members == dot.members == part.members
    assert answer_placing(url, CID, configure_placing(url, CID)) == cid


@pytest.mark.slow
def test_a_second_placement_of_an_agent_is_told(url: str) -> None:
    place(url, CID)
    longer = place(url, PlacingQuestion("Cid", "noughts", games=10))

    assert longer.tournament == "place Cid against noughts (10 games)"
    assert any("was placed against this pool in 'place Cid against" in n for n in longer.notes)


@pytest.mark.slow
def test_what_cannot_be_placed_is_told(sqlite_url: str) -> None:
    play(sqlite_url, tournament("newcomers", ("Cid", "Dot"), 2))
    with pytest.raises(UsageError, match="none is on record"):
        configure_placing(sqlite_url, CID)
    play(sqlite_url, POOL, games=5)
    with pytest.raises(UsageError, match="`arena resume 'reference'` first"):
        configure_placing(sqlite_url, CID)
    play(sqlite_url, POOL)
    for question, said in (
        (PlacingQuestion("Ann", "noughts"), "Ann is in the pool 'noughts' itself"),
        (PlacingQuestion("Cid", "nougts"), "unknown pool 'nougts'; did you mean 'noughts'"),
        (PlacingQuestion("Cyd", "noughts"), "unknown agent 'Cyd'"),
    ):
        with pytest.raises((UsageError, BadSelection), match=said):
            configure_placing(sqlite_url, question)
    config = configure_placing(sqlite_url, CID)
    with pytest.raises(UsageError, match="is not in the database: play it"):
        answer_placing(sqlite_url, CID, config)
    other = {**POOL, "name": "another"}
    with pytest.raises(ConfigError, match="the pool 'noughts' is the tournament 'reference'"):
        play(sqlite_url, other)


@pytest.mark.parametrize(
    "pool", [{"name": "noughts", "frozen": False}, {"frozen": True}, {"name": "x", "games": 0}]
)
def test_a_pool_is_frozen_and_has_a_name(pool: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="pool"):
        parse({**POOL, "pool": pool})


def test_a_pool_is_part_of_what_a_tournament_is() -> None:
    plain = {key: value for key, value in POOL.items() if key != "pool"}
    assert "pool" not in parse(plain).canonical()
    assert parse(POOL).config_hash != parse(plain).config_hash

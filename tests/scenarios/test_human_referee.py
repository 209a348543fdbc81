"""A person judges: the game waits for the verdict, in as many runs as it takes."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from arena.config import loads
from arena.orchestrator import run
from arena.replay.check import check
from db import Repository, get_session
from db.queries.requests import RequestRow, observed, request_rows

TRIAL = """
name: trial
seed: 3
environment: {name: scenario-courtroom, players: 2, referee: {name: Ruth, kind: human}}
games: 2
matchmaker: {name: round-robin, blocks: true}
models: [{name: fair, litellm_model: scripted/scenario-fair}]
prompts: [{name: plain, text: Play.}]
agents: {grid: {models: [fair], prompts: [plain], kinds: [thinking, remembering]}}
"""
VERDICT = (
    '{"verdict": "not guilty", "prosecution": 3, "defence": 8, "reasons": "Doubt is left.", '
    '"scene_2": "yes"}'
)


def answer(url: str, said: str) -> list[RequestRow]:
    """What waits for Ruth, each answered."""
    with get_session(url) as session:
        waiting = request_rows(session)
        for row in waiting:
            assert row.game_id is not None
            assert row.turn is not None
            assert "The scenes are over. Decide by what" in observed(session, row.game_id, row.turn)
            Repository(session).answer_request(row.id, said, "Ruth")
    return waiting


@pytest.mark.slow
def test_a_game_waits_for_the_verdict_of_a_person(database_url: str) -> None:
    trial = loads(TRIAL)
    ended = asyncio.run(run(trial, url=database_url))
    assert (ended.games_completed, ended.suspended) == (0, 2)

    asked = answer(database_url, "The defence was better, I think.")
    assert [(row.type, row.person, row.player_index) for row in asked] == [
        ("verdict", "Ruth", 2)
    ] * 2
    # That was no verdict: it is asked again, with what is wrong.
    ended = asyncio.run(run(trial, url=database_url))
    assert ended.suspended == 2
    answer(database_url, VERDICT)
    ended = asyncio.run(run(trial, url=database_url))
    assert (ended.games_completed, ended.suspended) == (2, 0)

    with get_session(database_url) as session:
        found = session.connection().execute(
            text("SELECT id, winning_team, reason, turn_count FROM games")
        )
        games = [tuple(row) for row in found]
    assert [game[1:] for game in games] == [
        ("Defence", "Points: Defence 14, Prosecution 4.", 12)
    ] * 2
    assert all(check(game[0], database_url).ok for game in games)

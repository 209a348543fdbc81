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
from tests.cli.commands import run_arena
from tests.viewer.browser import browsing

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


@pytest.mark.slow
def test_a_verdict_is_given_field_by_field_on_the_page_and_in_the_terminal(sqlite_url: str) -> None:
    trial = loads(TRIAL)
    asyncio.run(run(trial, url=sqlite_url))
    form = {"request": "1", "as": "Ruth", "field-verdict": "guilty", "field-prosecution": "11"}
    with browsing(sqlite_url) as get:
        shown = get("/play/1?as=Ruth").text
        wrong = get("/play", form=form)
        rest = {"field-defence": "2", "field-reasons": 'Exhibit "A".', "field-scene_2": "no"}
        taken = get("/play", form=form | {"field-prosecution": "9"} | rest)
        whole = get("/play/2/observation?as=Ruth")
        assert get("/play/2/observation?as=Rob").status_code == 404
    assert "<option>not guilty</option>" in shown
    assert 'type="number" required step="1" min="0" max="10"' in shown
    assert wrong.status_code == 400
    assert "prosecution: expected a whole number from 0 to 10, found &#39;11&#39;" in wrong.text
    assert "<option selected>guilty</option>" in wrong.text
    assert taken.status_code == 303
    assert whole.headers["content-type"] == "text/plain; charset=utf-8"
    assert whole.text.endswith('"additionalProperties": false}')

    typed = "acquitted\nnot guilty\n3\n8\nDoubt is left.\nyes\n"
    said = run_arena("play", "--as", "Ruth", "--elsewhere", "--db", sqlite_url, input=typed)
    assert "verdict: expected guilty or not guilty, found 'acquitted'" in said.stderr
    assert "taken" in said.stderr
    ended = asyncio.run(run(trial, url=sqlite_url))
    assert (ended.games_completed, ended.suspended) == (2, 0)
    with get_session(sqlite_url) as session:
        teams = session.connection().execute(
            text(
                "SELECT g.winning_team FROM games g JOIN requests r ON r.game_id = g.id "
                "ORDER BY r.id"
            )
        )
        assert [team for (team,) in teams] == ["Prosecution", "Defence"]
    assert check(1, sqlite_url).ok

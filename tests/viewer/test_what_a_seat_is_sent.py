"""What a seat must not know is in nothing that it is sent, page or terminal, in a whole game."""

from __future__ import annotations

import asyncio
import random
from html import unescape

import pytest
from sqlalchemy import text

from arena import registry
from arena.config import loads
from arena.orchestrator import run
from db import Repository, get_session
from db.queries.requests import observed, request_rows
from tests.cli.commands import run_arena
from tests.viewer.browser import browsing

MAFIA = """
name: night
seed: 2
environment: {name: SecretMafia-v0, players: 6}
games: 1
models: [{name: sharp, litellm_model: scripted/mafia-sharp}]
prompts:
  - {name: a, text: Play well.}
  - {name: b, text: Play it.}
  - {name: c, text: Play on.}
  - {name: d, text: Play now.}
  - {name: e, text: Play.}
agents:
  - {name: Ann, kind: human}
  - {grid: {models: [sharp], prompts: [a, b, c, d, e], kinds: [thinking]}}
"""
_SHORTEST = 12  # characters of a line that says something of its own


def lines(shown: str) -> set[str]:
    return {line.strip() for line in shown.splitlines() if len(line.strip()) >= _SHORTEST}


@pytest.mark.sweep
@pytest.mark.slow
def test_no_line_that_another_seat_alone_saw_is_sent(sqlite_url: str) -> None:
    night, policy = loads(MAFIA), registry.policy("mafia-sharp")
    sent: list[tuple[set[str], str]] = []
    while asyncio.run(run(night, url=sqlite_url)).suspended:
        with get_session(sqlite_url) as session:
            (row,) = request_rows(session)
            assert row.game_id is not None
            assert row.turn is not None
            mine = observed(session, row.game_id, row.turn)
        with browsing(sqlite_url) as get:
            paths = ("/play?as=Ann", f"/play/{row.id}?as=Ann", f"/play/{row.id}/observation?as=Ann")
            shown = [unescape(get(path).text) for path in paths]
        at = run_arena("play", "--as", "Ann", "--elsewhere", "--db", sqlite_url, input="")
        sent.append((lines(mine), "\n".join([*shown, at.stdout, at.stderr])))
        said = policy([{"role": "user", "content": mine}], random.Random(row.turn))
        with get_session(sqlite_url) as session:
            Repository(session).answer_request(row.id, str(said), "Ann")
    with get_session(sqlite_url) as session:
        query = "SELECT turn_number FROM game_turns WHERE player_index <> :ann"
        seat = {"ann": row.player_index}
        rows = session.connection().execute(text(query), seat)
        others = set().union(*(lines(observed(session, row.game_id, turn)) for (turn,) in rows))
    assert len(sent) > 2
    hidden = [others - mine for mine, _ in sent]
    assert all(len(kept) > 3 for kept in hidden)
    told = [line for kept, (_, all_sent) in zip(hidden, sent, strict=True)
            for line in kept if line in all_sent]  # fmt: skip
    assert told == []

"""An environment whose events raise: its games count, and their events are said to be missing,
until they can be told."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path

import pytest
from sqlalchemy import text

from arena.config import loads
from arena.orchestrator import run
from db import get_session
from tests.cli.commands import run_arena
from tests.strangers import Install, install

__all__ = ["install"]

pytestmark = pytest.mark.slow

COIN = """
from pathlib import Path
from arena.core import EnvironmentSpec, Event, Observation, Outcome, PlayerResult, Step, Termination

class Coin:
    '''Two turns; its events raise in the last one as long as a file is there.'''

    def __init__(self, *, name, **options):
        self.spec = EnvironmentSpec(name, 2, 2, "stranger", "1.2", options)

    def reset(self, *, seed, num_players):
        self.turn = 0

    def observe(self):
        return Observation(self.turn, self.turn, f"turn {self.turn}", f"turn {self.turn}")

    def prepare(self, action):
        return action

    def step(self, action):
        self.turn += 1
        return Step(done=self.turn == 2)

    def outcome(self, *, turn_limit=False):
        players = tuple(PlayerResult(i, None, None, i, 0.0) for i in range(2))
        return Outcome(players, Termination.NATURAL, "it fell", "Player 0")

    def events(self):
        if self.turn == 2 and Path("FILE").exists():
            raise LookupError("which side?")
        return [Event("move", self.turn - 1, data={"move": "flip"})] if self.turn else []

def one(messages, rng):
    return "1"
"""
CUP = """
name: cup
environment: {name: Coin-v0, players: 2}
games: 3
models: [{name: one, litellm_model: scripted/one}]
prompts: [{name: plain, text: Play.}]
agents: [{name: Ann, model: one, prompt: plain}, {name: Bob, model: one, prompt: plain,
  options: {}, kind: remembering}]
"""


def test_the_game_counts_and_its_events_are_said_to_be_missing(
    database_url: str, install: Install, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.touch()
    install(
        COIN.replace("FILE", str(broken)),
        {"environments": {"Coin-v0": "Coin"}, "scripted": {"one": "one"}},
    )

    ended = asyncio.run(run(loads(CUP, source="cup.yaml"), url=database_url))

    assert ended.games_left == 0
    shown = run_arena("events", "1", "--db", database_url)
    assert shown.exit_code == 1
    assert "game 1 has no events: LookupError: which side?" in shown.stderr
    again = run_arena("events", "rebuild", "--db", database_url)
    assert again.exit_code == 1
    assert re.search(r"3 games of 3 cannot be told", again.stderr)

    broken.unlink()
    told = run_arena("events", "rebuild", "--db", database_url)
    assert (told.exit_code, told.stdout[:8]) == (0, "3 games,")
    events = json.loads(run_arena("events", "1", "--json", "--db", database_url).stdout)
    assert [(event["turn"], event["source"]) for event in events["events"]] == [(0, 0), (1, 1)]
    with get_session(database_url) as session:
        left = session.execute(text("SELECT COUNT(*) FROM games WHERE events_error IS NOT NULL"))
        assert left.scalar_one() == 0

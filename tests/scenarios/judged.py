"""A duel that a referee judges over HTTP, and a server that can be stopped at any of its calls."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import text

from arena import registry
from db import get_session
from tests.servers.openai_server import Reply
from torture.commands import Commands, Ended

DUEL = """\
name: Two words
description: Each says a word.
personas: [{name: Ada, private: {goals: [say little]}}, {name: Ben}]
values: [{name: sum, number: [1, 9]}]
scenes:
  - {title: Words, timeout_turns: 2, success: {referee: Were both heard}}
  - {title: Sums, timeout_turns: 2, success: {settled: [sum]}}
narrator: [{scene: Words, after: 1, say: One has spoken.}]
referee:
  instructions: Who said the better word?
  fields: [{name: better, options: [Ada, Ben]}, {name: margin, number: [1, 5]}]
scoring:
  - {persona: Ada, verdict: better, worth: {Ada: 1}}
  - {persona: Ben, verdict: better, worth: {Ben: 1}}
"""

TOURNAMENT = """\
name: duel
seed: 5
environment:
  name: scenario-duel
  players: 2
  options: {{file: duel.yaml}}
  referee: {{model: judge, prompt: judge}}
games: {games}
concurrency: 2
matchmaker: {{name: round-robin, blocks: true}}
{more}
models:
  - {{name: one, litellm_model: openai/random, api_base: {url}, {paid}}}
  - {{name: judge, litellm_model: openai/scenario-referee, api_base: {url}, {judge}}}
prompts:
  - {{name: plain, text: Play.}}
  - {{name: other, text: Play well.}}
  - {{name: judge, text: Judge.}}
agents:
  - {{name: Xan, model: one, prompt: plain}}
  - {{name: Yve, model: one, prompt: other}}
"""
PAID = "input_price: 1, output_price: 1, params: {max_tokens: 99}"

ROWS = (
    "SELECT schedule_index, status, winning_team, termination, reason, turn_count FROM games "
    "ORDER BY 1",
    "SELECT g.schedule_index, t.turn_number, t.player_index, t.action, t.invalid FROM game_turns t "
    "JOIN games g ON g.id = t.game_id ORDER BY 1, 2",
    "SELECT g.schedule_index, e.seq, k.name, e.source, e.target, e.audience, CAST(e.data AS TEXT) "
    "FROM game_events e JOIN event_types k ON k.id = e.kind JOIN games g ON g.id = e.game_id "
    "ORDER BY 1, 2",
    "SELECT g.schedule_index, c.agent_id, c.mu_after, c.sigma_after FROM rating_changes c "
    "JOIN games g ON g.id = c.game_id ORDER BY c.pool_id, g.fold_index, c.agent_id",
)


def write(
    folder: Path,
    url: str,
    *,
    games: int = 2,
    paid: str = PAID,
    judge: str = PAID,
    more: str = "",
) -> Path:
    """The tournament and its scenario as files."""
    (folder / "duel.yaml").write_text(DUEL)
    file = folder / "tournament.yaml"
    file.write_text(TOURNAMENT.format(url=url, games=games, paid=paid, judge=judge, more=more))
    return file


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    """What a query finds; JSON is compared as JSON."""
    with get_session(url) as session:
        found = session.connection().execute(text(query))
        return [tuple(_plain(value) for value in row) for row in found]


def _plain(value: Any) -> Any:
    if isinstance(value, str) and value.startswith("{"):
        try:
            return json.dumps(json.loads(value), sort_keys=True)
        except ValueError:
            return value
    return value


def step_of(body: dict[str, Any]) -> str:
    """Which call of a game it is: a player's, the referee's `first`, or one after it."""
    if body["model"] == "random":
        return "player"
    asked = json.dumps(body["messages"])
    return "again" if "That is no verdict yet" in asked else "first"


def answer(body: dict[str, Any]) -> str:
    """What the scripted models say; the referee at first something that is no verdict."""
    if step_of(body) == "first":
        return "Ada was the better one, I think."
    policy = registry.policy(body["model"])
    return policy(body["messages"], random.Random(json.dumps(body["messages"])))


@dataclass
class Gate:
    """Answers, but holds the answer to the step `at` back until the run that asked is dead."""

    say: Callable[[dict[str, Any]], str] = answer
    at: str = ""
    reached: threading.Event = field(default_factory=threading.Event)
    free: threading.Event = field(default_factory=threading.Event)

    def reply(self, body: dict[str, Any]) -> Reply:
        said = self.say(body)
        if step_of(body) != self.at:
            return Reply(said)
        self.reached.set()
        return Reply(said, after=self.free)

    def kill_at(self, step: str, commands: Commands, *words: str | Path) -> Ended:
        """Start a command, and kill it while this step is being answered."""
        self.at, self.reached, self.free = step, threading.Event(), threading.Event()
        run = commands.start(*words)
        while not self.reached.wait(0.2) and run.running():
            pass
        assert self.reached.is_set(), run.wait().stderr
        run.signal()
        ended = run.wait()
        self.free.set()
        self.at = ""
        return ended

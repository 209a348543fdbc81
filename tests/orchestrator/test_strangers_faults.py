"""Rules and kinds of strangers in a tournament: their faults make games void, and stop nothing."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig, loads
from arena.core import ConfigError
from arena.orchestrator import Progress, Stop, run
from arena.replay.check import check
from db import get_session
from tests.strangers import Install, install

__all__ = ["install"]

RULES = """
    import random
    from arena.core import (
        EnvironmentSpec, Observation, Outcome, PlayerResult, Step, Termination, UsageError
    )

    class Fragile:
        '''Four turns; one seed in five ends in the third with an error.'''

        def __init__(self, *, name, error="key"):
            self.spec = EnvironmentSpec(name, 2, 2, "stranger", "1.2", {"error": error})
            self.error = error

        def reset(self, *, seed, num_players):
            self.fatal = random.Random(seed).randrange(5) == 0
            self.turn = 0

        def observe(self):
            return Observation(self.turn % 2, self.turn, f"turn {self.turn}", "")

        def prepare(self, action):
            return action

        def step(self, action):
            if self.turn == 2 and self.fatal:
                if self.error == "key":
                    return {}["board"]
                raise {"usage": UsageError, "exit": SystemExit}[self.error]("out of the rules")
            self.turn += 1
            return Step(done=self.turn == 4)

        def outcome(self, *, turn_limit=False):
            players = tuple(PlayerResult(i, None, None, i, 0.0) for i in range(2))
            return Outcome(players, Termination.NATURAL, "four turns", None)

    def one(messages, rng):
        return "1"
"""

FRAGILE = {"environments": {"Fragile-v0": "Fragile"}, "scripted": {"one": "one"}}

TOURNAMENT = """
name: fragile
seed: 3
environment: {{name: Fragile-v0, players: 2, options: {{error: {error}}}}}
games: 40
concurrency: 4
attempts: 1
matchmaker: {{name: round-robin}}
models:
  - {{name: one, litellm_model: scripted/one}}
prompts:
  - {{name: plain, text: "You are player {{{{player_index}}}}."}}
  - {{name: calm, text: "Stay calm."}}
agents:
  - {{name: Ann, kind: {kind}, model: one, prompt: plain}}
  - {{name: Bob, model: one, prompt: calm}}
"""


def tournament(error: str = "key", kind: str = "thinking") -> TournamentConfig:
    return loads(TOURNAMENT.format(error=error, kind=kind), source="fragile.yaml")


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def until(config: TournamentConfig, url: str, enough: Callable[[Progress], bool]) -> None:
    """Run until `enough`, then cancel, which leaves the database as a killed process would."""

    async def main() -> None:
        def watch(progress: Progress) -> None:
            if enough(progress):
                task.cancel()

        task = asyncio.create_task(run(config, url=url, on_progress=watch, stop=Stop()))
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "last"),
    [
        ("key", "KeyError: 'board'"),
        ("usage", "arena.core.errors.UsageError: out of the rules"),
        ("exit", "SystemExit: out of the rules"),
    ],
)
def test_rules_that_raise_in_one_game_of_five_stop_no_other(
    error: str, last: str, install: Install, database_url: str
) -> None:
    module = install(RULES, FRAGILE)
    first = asyncio.run(run(tournament(error), url=database_url, games=15))
    second = asyncio.run(run(tournament(error), url=database_url))

    seeds = [seed for (seed,) in rows(database_url, "SELECT seed FROM games")]
    fatal = sum(random.Random(seed).randrange(5) == 0 for seed in seeds)
    assert len(seeds) == 40
    assert 4 <= fatal <= 12
    assert first.games_completed + first.games_void == 15
    assert first.games_void + second.games_void == fatal
    assert first.games_completed + second.games_completed == 40 - fatal
    assert second.games_left == 0
    assert second.void_causes == {"environment": second.games_void}
    assert second.first_error == last
    void = rows(database_url, "SELECT error, turn_count FROM games WHERE status = 'void'")
    assert len(void) == fatal
    for traceback, turns in void:
        assert traceback.startswith("Traceback (most recent call last):")
        assert f"{module}.py" in traceback
        assert traceback.strip().endswith(last)
        assert turns == 2


@pytest.mark.slow
def test_a_killed_run_of_such_rules_resumes(install: Install, sqlite_url: str) -> None:
    install(RULES, FRAGILE)
    until(tournament(), sqlite_url, lambda seen: seen.games_done >= 10)

    summary = asyncio.run(run(tournament(), url=sqlite_url))

    assert summary.games_left == 0
    ended = "SELECT COUNT(*) FROM games WHERE status IN ('completed', 'void') AND final"
    assert rows(sqlite_url, ended) == [(40,)]


KINDS = """
    from arena.core import Action, ProviderError

    class Picky:
        '''Cannot be made at the second place.'''
        version = 1

        def __init__(self, *, prompt, options):
            if "player 1" in prompt:
                raise LookupError("no second place for me")

        async def act(self, observation, llm):
            return Action((await llm.complete([{"role": "user", "content": "go"}])).text)

    class Stubborn:
        '''Moves whether or not its model answers.'''
        version = 1

        def __init__(self, *, prompt, options):
            pass

        async def act(self, observation, llm):
            try:
                await llm.complete([{"role": "user", "content": "go"}])
            except Exception:
                pass
            return Action("1")

    class Mute:
        '''Gives back nothing.'''
        version = 1

        def __init__(self, *, prompt, options):
            pass

        async def act(self, observation, llm):
            await llm.complete([{"role": "user", "content": "go"}])

    class Hoarder:
        '''Asks through the handle of its first turn.'''
        version = 1

        def __init__(self, *, prompt, options):
            self.llm = None

        async def act(self, observation, llm):
            self.llm = self.llm or llm
            return Action((await self.llm.complete([{"role": "user", "content": "go"}])).text)

    def broken(messages, rng):
        if messages[-1]["content"] == "go":
            raise ZeroDivisionError("oops")
        return "1"
"""
STRANGE = {
    "agents": {"picky": "Picky", "stubborn": "Stubborn", "mute": "Mute", "hoarder": "Hoarder"},
    "scripted": {"broken": "broken"},
}


def test_a_kind_that_cannot_be_made_voids_the_games_it_cannot_sit_in(
    install: Install, sqlite_url: str
) -> None:
    install(RULES.replace("randrange(5) == 0", "randrange(5) == 9"), FRAGILE)
    install(KINDS, STRANGE, package="kinds")

    summary = asyncio.run(run(tournament(kind="picky"), url=sqlite_url))

    assert (summary.games_completed, summary.games_void) == (20, 20)
    assert summary.void_causes == {"agent": 20}
    assert summary.first_error == "LookupError: no second place for me"
    second = "SELECT DISTINCT p.player_index FROM games g JOIN game_players p ON p.game_id = g.id "
    second += "JOIN agents a ON a.id = p.agent_id WHERE g.status = 'void' AND a.alias = 'Ann'"
    assert rows(sqlite_url, second) == [(1,)]
    ((completed,),) = rows(sqlite_url, "SELECT MIN(id) FROM games WHERE status = 'completed'")
    assert check(completed, sqlite_url).ok


def test_a_kind_that_moves_without_its_models_answer_wins_nothing(
    install: Install, sqlite_url: str
) -> None:
    install(RULES, FRAGILE)
    install(KINDS, STRANGE, package="kinds")
    config = loads(
        TOURNAMENT.format(error="key", kind="stubborn").replace("scripted/one", "scripted/broken"),
        source="fragile.yaml",
    )

    summary = asyncio.run(run(config, url=sqlite_url, games=4))

    assert summary.games_completed == 0
    assert summary.void_causes == {"provider": 4}
    moved = "SELECT COUNT(*) FROM game_turns WHERE acted_at IS NOT NULL"
    assert rows(sqlite_url, moved) == [(2,)], "Bob's, who is first in two of the games"


def test_a_kind_that_gives_back_nothing_is_told_what_was_expected(
    install: Install, sqlite_url: str
) -> None:
    install(RULES, FRAGILE)
    install(KINDS, STRANGE, package="kinds")

    summary = asyncio.run(run(tournament(kind="mute"), url=sqlite_url, games=2))

    assert summary.void_causes == {"agent": 2}
    assert summary.first_error == "TypeError: act() returned NoneType; expected Action"


def test_a_kind_that_asks_through_the_handle_of_an_earlier_turn_is_told(
    install: Install, sqlite_url: str
) -> None:
    install(RULES.replace("randrange(5) == 0", "randrange(5) == 9"), FRAGILE)
    install(KINDS, STRANGE, package="kinds")

    summary = asyncio.run(run(tournament(kind="hoarder"), url=sqlite_url, games=2))

    assert summary.void_causes == {"agent": 2}
    assert summary.first_error == (
        "RuntimeError: the turn is over: an agent asks through the `llm` of its turn"
    )
    calls = "SELECT DISTINCT t.turn_number < 2 FROM llm_calls c JOIN game_turns t ON "
    calls += "t.id = c.game_turn_id JOIN game_players p ON p.game_id = t.game_id AND "
    calls += "p.player_index = t.player_index JOIN agents a ON a.id = p.agent_id "
    assert rows(sqlite_url, calls + "WHERE a.alias = 'Ann'") == [(1,)]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def made(*, concurrency): return {}[concurrency]", "raised KeyError: 4"),
        ("def made(*, concurrency): return concurrency", "made int, which has no `run`"),
        ("def made(): ...", "cannot be made with `concurrency`"),
    ],
)
def test_an_executor_that_cannot_be_made_is_named_before_anything_is_written(
    source: str, said: str, install: Install, tmp_path: Path
) -> None:
    install(RULES, FRAGILE)
    install(source, {"executors": {"cluster": "made"}}, package="cluster")
    text = TOURNAMENT.format(error="key", kind="thinking") + "executor: cluster\n"

    with pytest.raises(ConfigError, match=f"the executor 'cluster' of cluster 1.2 .*{said}"):
        asyncio.run(run(loads(text), url=tmp_path / "arena.db"))

    assert not (tmp_path / "arena.db").exists()

"""Several commands branch games of one tournament at once: each plays its own, under one cap."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from arena import registry
from arena.config import loads
from arena.orchestrator import Summary, run
from arena.replay.branch import BranchReport, branch
from arena.replay.check import check
from tests.replay.test_branch import DUEL, branched, player_of, rows
from tests.servers.openai_server import OpenAIServer, Reply
from torture.commands import Commands

pytestmark = [
    pytest.mark.slow,
    # A killed process's connection may be closed late.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

OWN = "FROM games g WHERE g.parent_game_id = 1"


def legal(body: dict[str, Any]) -> str:
    """Plays as `scripted/random` would, each time otherwise."""
    return registry.policy("random")(body["messages"], random.Random())


def third(config: str) -> str:
    """The tournament in which Cid is entered, who is put in Ann's place."""
    changed = config.replace("name: duel", "name: third").replace("name: Bob", "name: Cid")
    return (
        changed.replace("Stay calm.", "Stay cool.")
        .replace("name: calm", "name: cool")
        .replace("prompt: calm", "prompt: cool")
    )


def over_http(server: OpenAIServer, prices: str = "input_price: 1.0, output_price: 2.0") -> str:
    model = f"openai/one, api_base: {server.url}, {prices}, params: {{max_tokens: 9}}"
    return DUEL.replace("scripted/random", model)


def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def statuses(url: str) -> Counter[str]:
    return Counter(status for (status,) in rows(url, f"SELECT status {OWN}"))


def runs(url: str) -> int:
    """How many runs of branches have begun a game."""
    return len(
        rows(
            url,
            "SELECT DISTINCT r.id FROM branch_runs r JOIN games g ON g.parent_game_id = r.game_id "
            "AND g.attempt >= r.first AND g.attempt < r.first + 2 * r.times "
            "WHERE g.status = 'running'",
        )
    )


def locks(url: str) -> list[Path]:
    """Those of the processes that play branches."""
    holders = rows(url, "SELECT holder FROM branch_runs WHERE holder IS NOT NULL")
    return [Path(json.loads(holder)["lock"]) for (holder,) in holders]


def test_two_processes_branch_one_turn_at_once_and_a_killed_one_resumes(
    commands: Commands, database_url: str
) -> None:
    url = database_url
    with OpenAIServer(legal) as server:
        for config in (over_http(server), third(over_http(server))):
            asyncio.run(run(loads(config), url=url))
        place = player_of(url, "Ann")
        words = ("--turn", "2", "--set", f"{place}=Cid", "--times", "6", "--budget", "9")
        server.requests.clear()
        server._latency = 0.4
        first, second = (commands.start("branch", "1", "--db", url, *words) for _ in range(2))
        until(
            lambda: (
                not (first.running() and second.running())
                or (runs(url) == 2 and len(server.requests) > 25)
            ),
            "both are playing",
        )
        assert first.running()
        assert second.running()
        held = locks(url)
        first.signal()
        first.wait()
        ended = second.wait()
        assert ended.code == 0, ended.stderr
        server._latency = 0.0
        half = statuses(url)
        assert half["completed"] >= 12
        assert half["void"] == 0, "neither touches what is the other's"

        # The same words resume what the killed one has left, and play nothing else.
        rest = branched(url, 2, {place: "Cid"}, times=6, budget=9.0)

        assert (len(rest.branches), len(rest.controls), rest.left) == (6, 6, 0)
        assert statuses(url) == {"completed": 24}
        numbers = [number for (number,) in rows(url, f"SELECT attempt {OWN} ORDER BY attempt")]
        assert numbers == [*range(24)], "each has seeds of its own"
        # Every request is on record; none was made twice but those that the kill cut off.
        calls = Counter(
            kind
            for (kind,) in rows(
                url,
                "SELECT COALESCE(c.error_class, 'answered') FROM llm_calls c JOIN game_turns t "
                "ON t.id = c.game_turn_id WHERE t.game_id IN "
                "(SELECT id FROM games WHERE parent_game_id = 1)",
            )
        )
        turns = (
            "SELECT COUNT(*) FROM game_turns WHERE turn_number >= 2 AND game_id IN "
            "(SELECT id FROM games WHERE parent_game_id = 1)"
        )
        assert [(calls["answered"],)] == rows(url, turns)
        assert calls.keys() <= {"answered", "Orphaned"}
        assert calls["answered"] <= len(server.requests) <= calls.total()
        for game in rest.branches:
            assert check(game, url).ok
    assert len(held) == 2
    assert not any(lock.exists() for lock in held), "that of the dead one is gone too"


class Till:
    """A server's own count of what it is owed, in dollars."""

    def __init__(self) -> None:
        self.dollars = 0.0

    def __call__(self, body: dict[str, Any]) -> Reply:
        prompt = sum(len(message["content"]) for message in body["messages"]) // 4
        self.dollars += (prompt * 1.0 + 5 * 2.0) / 1e6
        usage = {"prompt_tokens": prompt, "completion_tokens": 5, "total_tokens": prompt + 5}
        return Reply(legal(body), usage=usage)


def test_a_run_and_branches_at_once_spend_no_more_than_the_cap(database_url: str) -> None:
    url, till = database_url, Till()
    with OpenAIServer(till, latency=0.02) as server:
        config = over_http(server).replace("games: 1", "games: 40")
        asyncio.run(run(loads(third(over_http(server))), url=url))
        till.dollars = 0.0
        asyncio.run(run(loads(config), url=url, games=1, budget=1.0))
        game = rows(url, "SELECT id FROM games WHERE status = 'completed' ORDER BY id DESC")[0][0]
        place = player_of(url, "Ann", game)
        cap = 24 * till.dollars

        async def together() -> tuple[Summary, BranchReport, BranchReport]:
            return await asyncio.gather(
                run(loads(config), url=url, budget=cap),
                branch(game, 1, {place: "Cid"}, times=40, url=url, budget=cap / 3),
                branch(game, 2, {place: "Cid"}, times=40, url=url),
            )

        asyncio.run(run(loads(config), url=url, games=0, budget=cap))
        played, capped, free = asyncio.run(together())

        assert till.dollars <= cap
        assert capped.cost <= cap / 3
        assert played.games_left
        assert capped.left
        assert free.left
        # Who asks first decides which games end; the money is used up whoever does.
        assert till.dollars > 0.9 * cap
        assert statuses_of_all(url).keys() <= {"completed", "running", "scheduled"}

        # What one of them has left over is there for the others.
        before = till.dollars
        more = asyncio.run(run(loads(config), url=url, budget=cap + before / 2))
        assert before < till.dollars <= cap + before / 2
        assert more.games_completed


def statuses_of_all(url: str) -> Counter[str]:
    return Counter(status for (status,) in rows(url, "SELECT status FROM games"))

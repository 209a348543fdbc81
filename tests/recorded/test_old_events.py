"""Events of games that an earlier release recorded are told again, by one or by two at once, killed
in between or not, and their speeches read by a model, whose answers are on record."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import text

from arena.replay.events import rebuild_events
from db import Database, get_session
from db.selection import Selection
from tests.cli.commands import run_arena
from tests.servers.openai_server import OpenAIServer, Reply
from tests.strangers import Install, install

__all__ = ["install"]

pytestmark = pytest.mark.slow

VILLAGE = ("--tournament", "village")
LINES = """
import sys
from arena.replay.events import rebuild_events
from db import Database
from db.selection import Selection
for left, found in rebuild_events(Database(sys.argv[1]), Selection()):
    print(found.game_id, found.events, flush=True)
    sys.stdin.readline()
"""
CLAIMS = '{"claims": [{"player": "self", "role": "Villager"}], "accuses": [0]}'


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url, create=False) as session:
        return [tuple(row) for row in session.connection().execute(text(query))]


def rebuild(url: str, *options: str) -> Any:
    return run_arena("events", "rebuild", *options, "--db", url)


def test_a_database_from_before_says_so_and_is_told(kept: str) -> None:
    before = run_arena("events", "1", "--db", kept)
    assert before.exit_code == 1
    assert "never told: type `arena events rebuild`" in before.stderr

    told = rebuild(kept)

    assert (told.exit_code, told.stdout.split(",")[0]) == (0, "9 games")
    assert rebuild(kept, "--check").exit_code == 0
    assert rebuild(kept).stdout == "every finished game has its events\n"


def test_two_at_once_tell_every_game_once(kept: str) -> None:
    found: list[list[Any]] = [[], []]

    def tell(place: int) -> None:
        with Database(kept) as database:
            for _, game in rebuild_events(database, Selection(), everything=True):
                found[place].append(game)

    threads = [threading.Thread(target=tell, args=(place,)) for place in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [[game.error for game in games] for games in found] == [[None] * 9] * 2
    assert rebuild(kept, "--check").exit_code == 0


def test_a_killed_rebuild_leaves_whole_games_and_continues(kept: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LINES, kept],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        first = child.stdout.readline().split()
        child.stdin.write("\n")
        child.stdin.flush()
        second = child.stdout.readline().split()
        os.kill(child.pid, signal.SIGKILL)

    counts = "SELECT game_id, COUNT(*) FROM game_events GROUP BY game_id ORDER BY game_id"
    assert [[str(value) for value in row] for row in rows(kept, counts)] == [first, second]
    assert rebuild(kept).stdout.startswith("7 games, ")
    assert rebuild(kept, "--check").exit_code == 0


def test_a_reader_that_raises_is_named_and_takes_nothing_away(kept: str, install: Install) -> None:
    install(
        """
        class Breaks:
            version, asks = 3, False
            async def read(self, speech, cast, llm):
                raise KeyError("lost")
        class Invents(Breaks):
            async def read(self, speech, cast, llm):
                return [7]
        """,
        {"readers": {"breaks": "Breaks", "invents": "Invents"}},
    )
    rebuild(kept, "--tournament", "noughts")

    broken = rebuild(kept, "--reader", "breaks", *VILLAGE)
    assert broken.exit_code == 1
    assert "the reader 'breaks' of stranger 1.2" in broken.stdout
    assert "raised KeyError: 'lost'" in broken.stdout
    assert "5 games of 5 cannot be told" in broken.stderr
    said = run_arena("events", "1", "--db", kept)
    assert "game 1 has no events: the reader 'breaks'" in said.stderr

    assert rebuild(kept).exit_code == 0
    whole = run_arena("events", "1", "--all", "--json", "--db", kept).stdout
    invented = rebuild(kept, "--reader", "invents", *VILLAGE)
    assert "game 1: a reader gave int; expected SpeechReading" in invented.stdout
    assert run_arena("events", "1", "--all", "--json", "--db", kept).stdout == whole


@pytest.fixture
def answering() -> Iterator[Callable[[Reply | str], OpenAIServer]]:
    """Starts servers that give one answer, for the length of the test."""
    running: list[OpenAIServer] = []

    def start(answer: Reply | str) -> OpenAIServer:
        running.append(OpenAIServer([answer]).__enter__())
        return running[-1]

    yield start
    for server in running:
        server.__exit__(None, None, None)


def add_model(url: str, server: OpenAIServer, name: str = "judge") -> None:
    priced = ("--input-price", "1", "--output-price", "1", "--param", "max_tokens=100")
    added = run_arena(
        "models", "add", name, "openai/judge", "--api-base", server.url, *priced, "--db", url
    )
    assert added.exit_code == 0, added.stderr


@pytest.fixture
def two_games(kept: str) -> str:
    """The first two games of the village, and nothing else."""
    with get_session(kept) as session:
        session.connection().execute(text("DELETE FROM games WHERE id > 2"))
    return kept


def test_a_model_reads_what_is_asked_once_and_on_record(
    two_games: str, answering: Callable[[Reply | str], OpenAIServer]
) -> None:
    usage = {"prompt_tokens": 300, "completion_tokens": 30, "total_tokens": 330}
    server = answering(Reply(CLAIMS, usage=usage))
    add_model(two_games, server)
    reading = ("--reader", "model", "--model", "judge")
    played = "SELECT COUNT(*), SUM(cost) FROM llm_calls"
    before = rows(two_games, played)

    unpaid = rebuild(two_games, *reading)
    assert (unpaid.exit_code, "'judge' costs money" in unpaid.stderr) == (2, True)
    price = json.loads(rebuild(two_games, *reading, "--dry-run", "--json").stdout)
    assert (price["games"], price["untold"], server.requests) == (2, 0, [])
    assert 0 < price["dollars"] < price["most"] < 0.1

    poor = rebuild(two_games, *reading, "--budget", f"{price['calls'] * 330e-6 / 2:.6f}")
    assert (poor.exit_code, "the same command continues there" in poor.stderr) == (1, True)
    assert 0 < len(server.requests) < price["calls"]
    sent_before = len(server.requests)
    rich = rebuild(two_games, *reading, "--budget", "1")
    left = price["calls"] - sent_before
    assert rich.exit_code == 0
    assert f"{left} calls sent, ${left * 330e-6:.4g}\n" in rich.stderr
    assert len(server.requests) == price["calls"]

    claims = json.loads(run_arena("events", "1", "--json", "--db", two_games).stdout)["events"]
    read = [event for event in claims if event["kind"] in ("claim", "accusation")]
    assert {event["data"]["reader"] for event in read} == {"model 1 judge"}
    assert rows(two_games, played) == before, "what a reader asks is charged to no agent"
    asked = "SELECT SUM(CASE WHEN cached THEN 0 ELSE 1 END), MIN(purpose) FROM side_calls"
    assert rows(two_games, asked) == [(price["calls"], "reader model 1")]
    unanswered = "SELECT COUNT(*) FROM side_calls WHERE response_received_at IS NULL"
    assert rows(two_games, unanswered) == [(0,)]

    # From here on nobody is asked.
    assert rebuild(two_games, *reading, "--all", "--budget", "1").exit_code == 0
    assert rebuild(two_games, "--check").exit_code == 0
    whole = run_arena("events", "1", "--all", "--json", "--db", two_games).stdout
    assert rebuild(two_games, "--all").exit_code == 0
    assert run_arena("events", "1", "--all", "--json", "--db", two_games).stdout == whole
    with get_session(two_games) as session:
        session.connection().execute(text("DELETE FROM side_calls"))
    lost = rebuild(two_games, "--all")
    assert lost.exit_code == 1
    assert "what the model 'judge' answers is not on record" in lost.stdout
    assert run_arena("events", "1", "--all", "--json", "--db", two_games).stdout == whole
    assert len(server.requests) == price["calls"]
    assert rebuild(two_games, "--reader", "rules").exit_code == 0
    assert "judge" not in run_arena("events", "1", "--json", "--db", two_games).stdout


def test_an_answer_that_cannot_be_read_is_said(
    two_games: str, answering: Callable[[Reply | str], OpenAIServer]
) -> None:
    add_model(two_games, answering("I would rather not."))
    assert rebuild(two_games).exit_code == 0
    whole = run_arena("events", "1", "--all", "--json", "--db", two_games).stdout

    unread = rebuild(two_games, "--reader", "model", "--model", "judge", "--budget", "1")

    assert unread.exit_code == 1
    assert "the model answered twice without the JSON object" in unread.stdout
    assert run_arena("events", "1", "--all", "--json", "--db", two_games).stdout == whole

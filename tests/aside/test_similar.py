"""Similar moments are found by vectors, which a model makes once, within a budget and on record."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy import text

from arena.aside.vectors import WORDS, embedding_model, fill_vectors
from arena.core import ArenaError, ProviderError, UsageError
from db import Database, Repository, get_session
from tests.cli.commands import run_arena
from tests.servers.openai_server import OpenAIServer, Reply, error

pytestmark = pytest.mark.slow

SAID = (
    ("I am the Detective and I saw player 3 by night.", "Let us vote for player 2."),
    ("I am the Doctor, and saved player 1.", "I am the detective; player 4 is Mafia."),
    ("Let us vote for player 2.", "Good morning everybody."),
)


def record(url: str, said: Sequence[Sequence[str]] = SAID, status: str = "completed") -> None:
    with get_session(url) as session:
        repo = Repository(session)
        kind = repo.get_or_create_kind("thinking", version=1)
        model = repo.get_or_create_model("m", "scripted/random")
        prompt = repo.get_prompt_by_name("p") or repo.create_prompt("p", "You play.")
        agents = [
            repo.get_or_create_agent(kind.id or 0, model.id or 0, prompt.id or 0, alias=name)
            for name in ("Ann", "Bob")
        ]
        for actions in said:
            game = repo.create_game()
            game.status = status
            for place, agent in enumerate(agents):
                row = repo.add_game_player(game.id or 0, agent.id or 0, place)
                row.role, row.rank = ("Detective", "Mafia")[place], place
            for number, action in enumerate(actions):
                repo.add_game_turn(game.id or 0, number, number % 2, "You are up.", action)


def search(url: str, *options: str) -> Any:
    return run_arena("search", "--like", *options, "--db", url)


def found(url: str, *options: str) -> list[tuple[float, int, int, str]]:
    result = search(url, *options, "--json")
    assert result.exit_code == 0, result.stderr
    return [
        (hit["similarity"], hit["game_id"], hit["turn_number"], hit["text"])
        for hit in json.loads(result.stdout)["hits"]
    ]


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    with get_session(url) as session:
        return [tuple(row) for row in session.execute(text(query))]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    def embed(said: str) -> list[float]:
        return [3.0 * ("etective" in said), 2.0 * ("vote" in said), float("morning" in said), 0.5]

    with OpenAIServer(embed=embed) as server:
        yield server


def add_model(url: str, server: OpenAIServer, name: str = "near", *more: str) -> None:
    added = run_arena(
        "models", "add", name, "openai/near", "--api-base", server.url, *more, "--db", url
    )
    assert added.exit_code == 0, added.stderr


PRICED = ("--input-price", "10", "--output-price", "0")


def test_words_in_common_are_found_without_any_provider(database_url: str) -> None:
    record(database_url)

    nearest = found(database_url, "1:0")
    assert nearest[0][1:3] == (2, 1)
    assert 1 > nearest[0][0] > nearest[1][0] > 0
    assert [place for _, *place, _ in found(database_url, "1:0", "--role", "Detective")] == [
        [2, 0], [3, 0],
    ]  # fmt: skip
    # What is said in equal words is shown once, where it was said last; it was sent once.
    assert [place for _, *place, _ in found(database_url, "2:0", "--limit", "9")].count([3, 0]) == 1
    assert [1, 1] not in [place for _, *place, _ in found(database_url, "2:0", "--limit", "9")]
    shown = search(database_url, "1:0", "--limit", "1")
    assert "player 4 is Mafia" in shown.stdout
    assert "compared by words with 6 actions that have a vector" in shown.stderr


def test_a_model_is_asked_once_for_each_text_and_stays_within_its_budget(
    database_url: str, server: OpenAIServer
) -> None:
    record(database_url)
    add_model(database_url, server, "near", *PRICED)
    like = ("1:0", "--embedding", "near")

    price = json.loads(search(database_url, *like, "--dry-run", "--json").stdout)
    assert (price["actions"], price["texts"], server.requests) == (6, 5, [])
    assert 0 < price["dollars"] < 0.001
    unpaid = search(database_url, *like)
    assert (unpaid.exit_code, "'near' costs money" in unpaid.stderr) == (2, True)
    poor = search(database_url, *like, "--budget", "0.0001")
    assert (poor.exit_code, server.requests) == (2, [])
    assert "turn 0 of game 1 has no vector yet" in poor.stderr

    assert found(database_url, *like, "--budget", "1")[0][1:3] == (2, 1)
    sent = [said for request in server.requests for said in request.body["input"]]
    assert sorted(sent) == sorted({said for game in SAID for said in game})
    # The next search takes what is on record, also without its name; new games are added.
    record(database_url, [["I was the detective yesterday."]])
    assert found(database_url, "1:0", "--budget", "1")[0][1:3] in ((2, 1), (4, 0))
    assert [request.body["input"] for request in server.requests][-1] == [
        "I was the detective yesterday."
    ]
    calls = "SELECT purpose, COUNT(*), MIN(prompt_tokens) > 0, MAX(cost) > 0 FROM side_calls "
    assert [row[0] for row in rows(database_url, calls + "GROUP BY purpose")] == ["embedding"]
    assert rows(database_url, "SELECT COUNT(*) FROM text_vectors") == [(7,)]


def test_vectors_of_two_models_are_never_compared(database_url: str, server: OpenAIServer) -> None:
    record(database_url)
    add_model(database_url, server)
    assert search(database_url, "1:0").exit_code == 0
    assert search(database_url, "1:0", "--embedding", "near").exit_code == 0

    both = search(database_url, "1:0")
    assert both.exit_code == 2
    assert "there are vectors of near and words, which cannot be compared: say which" in both.stderr

    with get_session(database_url) as session:
        session.execute(text("UPDATE models SET litellm_model_name = 'openai/far'"))
    changed = search(database_url, "1:0", "--embedding", "near")
    assert changed.exit_code == 2
    assert "the model is now near: openai/far at " in changed.stderr
    anew = search(database_url, "1:0", "--embedding", "near", "--rebuild")
    assert (anew.exit_code, "Traceback" in anew.stderr) == (0, False), anew.stderr

    server.embed = lambda said: [1.0, 2.0, 3.0]
    record(database_url, [["Good night."]])
    wider = search(database_url, "1:0", "--embedding", "near")
    assert wider.exit_code == 2
    assert "gives vectors of 3 numbers now, and those on record have 4" in wider.stderr


def test_what_fails_is_on_record_and_what_was_made_stays(
    sqlite_url: str, server: OpenAIServer
) -> None:
    record(sqlite_url)
    add_model(sqlite_url, server)
    server._replies = ["ok", error(400, "no such input"), "ok"]

    with Database(sqlite_url) as database, pytest.raises(ProviderError, match="no such input"):
        asyncio.run(fill_vectors(database, embedding_model(database, "near"), concurrency=1))

    assert rows(sqlite_url, "SELECT COUNT(*) FROM text_vectors") == [(4,)]
    answered = "SELECT error_status, error_class IS NULL FROM side_calls ORDER BY id"
    assert rows(sqlite_url, answered) == [(None, 1), (400, 0), (None, 1)]
    asked = len(server.requests)
    assert found(sqlite_url, "1:0")[0][1:3] == (2, 1)
    assert len(server.requests) == asked + 1


@pytest.mark.parametrize(
    "body",
    [
        '{"object": "list", "data": [], "model": "x"}',
        '{"object": "list", "data": [{"embedding": [1, NaN], "index": 0}], "model": "x"}',
        "{}",
    ],
)
def test_an_answer_without_vectors_is_said(sqlite_url: str, body: str) -> None:
    record(sqlite_url, [["Hello."]])
    with OpenAIServer([Reply(body=body)]) as server:
        add_model(sqlite_url, server)
        with Database(sqlite_url) as database, pytest.raises(ArenaError) as raised:
            asyncio.run(fill_vectors(database, embedding_model(database, "near")))
    assert "Traceback" not in str(raised.value)
    assert rows(sqlite_url, "SELECT COUNT(*) FROM text_vectors") == [(0,)]
    assert len(server.requests) == 1


def test_what_cannot_be_compared_is_said(sqlite_url: str) -> None:
    record(sqlite_url)
    record(sqlite_url, [["Not over."]], status="running")
    for options, said in (
        (("9:0",), "there is no game 9"),
        (("1:7",), "nothing was said in turn 7 of game 1"),
        (("4:0",), "game 4 is not over"),
        (("one",), "--like expects GAME:TURN, such as 12:5, found 'one'"),
        (("1:0", "--ranked"), "--like compares actions: leave out words"),
        (("1:0", "--embedding", "unknown"), "there is no model 'unknown' in the catalogue"),
        (("1:0", "--embedding", "m"), "'scripted/random' gives no vectors"),
    ):
        result = search(sqlite_url, *options)
        assert (result.exit_code, said in result.stderr) == (2, True), result.stderr
    alone = run_arena("search", "word", "--embedding", "near", "--db", sqlite_url)
    assert (alone.exit_code, "go with --like" in alone.stderr) == (2, True)


def test_what_is_damaged_is_listed(sqlite_url: str) -> None:
    record(sqlite_url)
    assert search(sqlite_url, "1:0").exit_code == 0
    whole = run_arena("db", "verify", "--db", sqlite_url)
    assert whole.exit_code == 0, whole.stdout
    with get_session(sqlite_url) as session:
        session.execute(text("UPDATE side_calls SET messages = X'0041' WHERE id = 1"))
        session.execute(text("UPDATE side_calls SET model = 'other' WHERE id = 2"))

    found = run_arena("db", "verify", "--db", sqlite_url)

    assert found.exit_code == 1
    assert re.search(r"call 1 about game \d cannot be read whole", found.stdout)
    assert re.search(r"the request of call 2 about game \d is not the one", found.stdout)


def test_the_model_that_needs_nothing_is_the_default(sqlite_url: str) -> None:
    with Database(sqlite_url) as database:
        assert embedding_model(database, None) == WORDS
        with pytest.raises(UsageError, match="there is no model 'near'"):
            embedding_model(database, "near")

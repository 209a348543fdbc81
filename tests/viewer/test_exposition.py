"""`/metrics`: what Prometheus reads, who may read it, and that no call is read for it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event, select

from arena.analysis import calls_df, turns_df
from arena.reports.run_status import ModelStatus, RunStatus
from arena.viewer.exposition import exposition
from db import Database, Repository
from db.maintenance.prune import prune
from db.maintenance.retention import Retention
from db.models import GrantedChunk, TournamentLease
from tests.cli.commands import run_arena
from tests.viewer.browser import PORT, TOKEN, TOURNAMENT, Get, browsing

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset({"tournament": "watched", **labels}.items())]


def test_the_totals_are_those_on_record(get: Get, watched: str) -> None:
    answer = get("/metrics")
    found = parsed(answer.text)

    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    calls, turns = calls_df(watched), turns_df(watched)
    assert of(found, "arena_games", status="completed") == 3
    assert of(found, "arena_turns_total") == len(turns)
    assert of(found, "arena_calls_total", outcome="answered") == len(calls)
    assert of(found, "arena_calls_total", outcome="failed") == 0
    assert of(found, "arena_tokens_total", type="input") == calls["prompt_tokens"].sum()
    assert of(found, "arena_tokens_total", type="output") == calls["response_tokens"].sum()
    assert of(found, "arena_cost_dollars_total") == 0
    assert of(found, "arena_counters_behind") == 0
    assert found["arena_archived_games", frozenset()] == 0
    # The run has ended, and says nothing of what goes on.
    assert not any(name.startswith("arena_run_") for name, _ in found)


def test_what_a_run_says_of_itself_and_no_call_is_read(
    database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("metrics") / "t.yaml"
    file.write_text(TOURNAMENT)
    played = run_arena("run", file, "--db", database_url, "--games", "1")
    assert played.exit_code == 0, played.stderr
    status = RunStatus(
        elapsed=9.0, done=1, void=0, total=3, finished=1, running=2, paused=0, suspended=0,
        waiting=0, turns=7, calls=8, failed_calls=3, in_flight=2, speed=1.5, cost=0.0, spent=0.25,
        budget=2.0, models=(ModelStatus('s"harp\n\\', 2, 4, 5, "waiting"),),
        errors={"RateLimit\x1b": 3},
    )  # fmt: skip
    asked: list[str] = []
    with Database(database_url) as database:
        prune(database, Retention(transcripts=0), datetime.now(UTC), folder=file.parent / "away")
        with database.session() as session:
            lease = session.scalars(select(TournamentLease)).one()
            lease.told, lease.told_at, lease.holder = status.told(), datetime.now(UTC), "{}"
            now = datetime.now(UTC)
            session.add(
                GrantedChunk(
                    tournament_id=lease.tournament_id, worker="a", slot=0, fence=lease.fence,
                    chunk=1, model="gpt", calls=8, tokens=100, dollars=0.25, granted_at=now,
                    until=now + timedelta(hours=1), returned=3,
                )
            )  # fmt: skip
        event.listen(
            database.engine,
            "before_cursor_execute",
            lambda _c, _u, statement, *_: asked.append(statement),
        )
        with database.session() as session:
            found = parsed(exposition(session).decode())

    assert of(found, "arena_games", status="scheduled") == 2
    assert found["arena_archived_games", frozenset()] == 1
    assert of(found, "arena_run_games_running") == 2
    assert of(found, "arena_run_games_left") == 2
    assert of(found, "arena_run_calls_in_flight") == 2
    assert of(found, "arena_run_spent_dollars") == 0.25
    assert of(found, "arena_run_budget_dollars") == 2
    assert of(found, "arena_run_calls_waiting", model='s"harp \\') == 5
    assert of(found, "arena_run_chunk_calls", model="gpt") == 5
    assert of(found, "arena_run_chunk_tokens", model="gpt") == 500
    assert of(found, "arena_run_chunk_dollars", model="gpt") == 1.25
    assert of(found, "arena_run_errors", kind="RateLimit\\x1b") == 3
    assert 0 <= of(found, "arena_run_silent_seconds") < 600
    assert asked
    assert not any("llm_calls" in each or "game_turns" in each for each in asked)


def test_it_is_read_with_a_token_as_every_page_is(sqlite_url: str) -> None:
    with Database(sqlite_url) as database, database.session() as session:
        theirs = Repository(session).add_person("prometheus", "viewer")[1]

    for anywhere in (False, True):
        with browsing(sqlite_url, cookie=None, people=True, anywhere=anywhere) as get:
            refused = get("/metrics")
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert get("/metrics", authorization="Bearer wrong").status_code == 401
            assert get("/metrics", authorization=f"Basic {theirs}").status_code == 401
            read = get("/metrics", authorization=f"Bearer {theirs}")
            assert (read.status_code, read.text.startswith("# HELP")) == (200, True)
            # A token in a header opens nothing that a browser shows.
            assert get("/games", authorization=f"Bearer {theirs}").status_code != 200
            own = get("/metrics", authorization=f"Bearer {TOKEN}")
            assert own.status_code == (401 if anywhere else 200)
            assert get("/metrics", cookie=f"arena_{PORT}={theirs}").status_code == 200
    with browsing(sqlite_url, cookie=None) as get:
        assert get("/metrics", authorization=f"Bearer {TOKEN}").status_code == 200
        assert get("/metrics").status_code == 404

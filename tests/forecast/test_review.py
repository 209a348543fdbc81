"""When a run has ended, what it took is compared with what was estimated when it began."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from arena.cli.run_to_end import actual_over_predicted
from arena.config import loads
from arena.forecast.cost import ForecastInterval, estimate
from arena.forecast.review import (
    ActualOverPredicted,
    Review,
    plain_review,
    review,
    spread,
    took,
)
from arena.orchestrator import Summary, run
from arena.orchestrator.preflight import prepare
from db import Database, get_session
from db.queries.branch_usage import games_like, tail_usage
from db.queries.game_usage import seat_usage
from proof.estimate import rehearsal_of
from proof.spending_rows import NOON
from proof.spending_worlds import ENVIRONMENTS, SpendingWorld, draw_world
from tests.cli.commands import TOURNAMENT

NIM = next(setting for setting in ENVIRONMENTS if setting.name == "Nim-v0")


def compared(summary: Summary, url: str, **changes: object) -> Review | None:
    assert summary.began is not None
    given = {"games": summary.finished, "before": summary.began, **changes}
    return review(loads(TOURNAMENT), url=url, **given)  # type: ignore[arg-type]


def test_scripted_games_take_what_their_rehearsal_took(database_url: str) -> None:
    first = asyncio.run(run(loads(TOURNAMENT), url=database_url, games=2))
    rest = asyncio.run(run(loads(TOURNAMENT), url=database_url))

    for summary, games in ((first, 2), (rest, 4)):
        found = compared(summary, database_url)
        assert found is not None
        assert (found.games, found.compared, found.cached) == (games, games, 0)
        calls = found.measures["calls"]
        assert calls.actual == summary.calls
        assert calls.predicted == ForecastInterval(calls.actual, calls.actual, calls.actual)
        assert {name: one.ratio for name, one in found.measures.items()} == {
            "calls": 1.0,
            "prompt_tokens": 1.0,
            "response_tokens": 1.0,
            "dollars": None,
        }
        (line,) = actual_over_predicted(found)
        assert line == (
            f"actual over predicted, {games} games (90 % interval): calls 1.00, "
            "tokens sent 1.00, tokens answered 1.00"
        )


def test_what_is_left_of_games_is_read_from_a_turn_on(database_url: str) -> None:
    summary = asyncio.run(run(loads(TOURNAMENT), url=database_url))
    with get_session(database_url) as session:
        whole = seat_usage(session, summary.finished)
        assert took(tail_usage(session, summary.finished, 0)) == took(whole)
        # A turn of this game is one call.
        left = took(tail_usage(session, summary.finished, 2))
        assert left["calls"] == took(whole)["calls"] - 2 * len(summary.finished)
        began = summary.began
        assert began is not None
        assert games_like(session, 1, 2, before=began, limit=9) == [1]
        later = began + timedelta(days=1)
        assert games_like(session, 1, 2, before=later, limit=3) == [1, 4, 5, 6]


def test_games_that_are_not_finished_count_on_neither_side(sqlite_url: str) -> None:
    summary = asyncio.run(run(loads(TOURNAMENT), url=sqlite_url))
    whole = compared(summary, sqlite_url)
    part = compared(summary, sqlite_url, games=summary.finished[:3])

    assert whole is not None
    assert part is not None
    assert part.measures["calls"].actual < whole.measures["calls"].actual
    assert part.measures["calls"].ratio == whole.measures["calls"].ratio == 1.0
    assert compared(summary, sqlite_url, games=()) is None


@pytest.fixture
def world(sqlite_url: str) -> Callable[[int], tuple[SpendingWorld, Database]]:
    """A tournament of hosted models with so many games on record, and more to be played."""

    def made(recorded: int) -> tuple[SpendingWorld, Database]:
        rng = np.random.default_rng(recorded)
        found = draw_world(rng, "the same tournament", NIM, rehearsal_of(NIM)[1], recorded)
        database = Database(sqlite_url)
        found.record(database)
        return found, database

    return made


def test_it_is_the_estimate_from_before_the_run(
    world: Callable[[int], tuple[SpendingWorld, Database]],
) -> None:
    hosted, database = world(6)
    prepared = prepare(hosted.config)
    before = estimate(
        hosted.config,
        prepared,
        url=database,
        games_left=hosted.games,
        rng_seed=hosted.config.seed,
        rehearsals=3,
        price_of=hosted.price_of,
    )
    played = hosted.play(database)

    found = review(
        hosted.config,
        url=database,
        games=played,
        before=NOON + timedelta(minutes=6),
        price_of=hosted.price_of,
        rehearsals=3,
    )
    later = review(
        hosted.config,
        url=database,
        games=played,
        before=NOON + timedelta(days=9),
        price_of=hosted.price_of,
        rehearsals=3,
    )
    database.close()

    assert found is not None
    assert later is not None
    for name, told in (
        ("calls", before.calls),
        ("prompt_tokens", before.prompt_tokens),
        ("response_tokens", before.response_tokens),
        ("dollars", before.dollars),
    ):
        assert found.measures[name].predicted == told
        # Who knows the games themselves predicts something else.
        assert later.measures[name].predicted != told


def test_what_is_not_known_is_not_compared(
    world: Callable[[int], tuple[SpendingWorld, Database]],
) -> None:
    hosted, database = world(0)
    played = hosted.play(database)
    began = NOON - timedelta(days=1)

    unpriced = review(
        hosted.config,
        url=database,
        games=played,
        before=began,
        price_of=lambda _: None,
        rehearsals=2,
    )
    with database.session() as session:
        session.execute(text("UPDATE llm_calls SET prompt_tokens = NULL, cached = TRUE"))
        session.execute(text("UPDATE llm_calls SET charged = 0.0"))
    silent = review(
        hosted.config,
        url=database,
        games=played,
        before=began,
        price_of=hosted.price_of,
        rehearsals=2,
    )
    database.close()

    assert unpriced is not None
    assert [*unpriced.measures] == ["calls", "prompt_tokens", "response_tokens"]
    assert silent is not None
    assert [*silent.measures] == ["calls", "dollars"]
    # All of it was answered from the record: nothing is paid, and nothing was to be paid.
    assert silent.cached == silent.measures["calls"].actual
    assert silent.measures["dollars"].predicted.mean == 0.0
    assert silent.measures["dollars"].inside


def test_a_game_that_cannot_be_rehearsed_is_not_compared(tmp_path: Path) -> None:
    """An environment that is not there any more: what was played is said all the same."""
    gone = loads(TOURNAMENT.replace("TicTacToe-v0", "Nowhere-v0"))

    assert review(gone, url=tmp_path / "none.db", games=[1], before=datetime.now(UTC)) is None


def test_a_line_says_how_far_off_it_was() -> None:
    found = Review(
        games=3_000,
        compared=1_000,
        measures={
            "calls": ActualOverPredicted(90.0, ForecastInterval(80.0, 100.0, 125.0)),
            "dollars": ActualOverPredicted(3.0, ForecastInterval(0.5, 1.0, 2.0)),
        },
    )

    assert [*actual_over_predicted(found)] == [
        "actual over predicted, 1,000 of 3,000 games (90 % interval): calls 0.90 (0.80 to 1.25), "
        "dollars 3.00 (0.50 to 2.00: outside)"
    ]
    assert plain_review(found)["dollars"] == {
        "actual": 3.0,
        "predicted": 1.0,
        "low": 0.5,
        "high": 2.0,
        "ratio": 3.0,
        "inside": False,
    }
    assert spread(range(10), 3) == [0, 3, 6]

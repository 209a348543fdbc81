"""Live ratings that a run has kept go on with the same bits, and are doubted where they may be."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import text

from arena.config import TournamentConfig
from arena.core import RatedPlayer
from arena.orchestrator import kept_ratings
from arena.orchestrator.kept_ratings import packed, unpacked
from arena.orchestrator.run import run
from arena.orchestrator.standings import Folded, Played
from arena.ratings.sides import LiveSides
from db import get_session
from db.queries.schedule import live_state

Small = Callable[..., TournamentConfig]
ROLES = ("Mafia", "Mafia", "Doctor", "Villager", "Villager", "Villager")


def games(count: int, agents: int, seed: int) -> Iterator[Played]:
    """Mafia, and now and then a free-for-all of three."""
    rng = random.Random(seed)
    for number in range(count):
        if number % 5 == 4:
            seats = [(agent, at, at) for at, agent in enumerate(rng.sample(range(agents), 3))]
            yield Played(tuple(RatedPlayer(*seat) for seat in seats), ("", "", ""))
            continue
        won = rng.randrange(2)
        teams = [int(role != "Mafia") for role in ROLES]
        players = zip(rng.sample(range(agents), 6), teams, strict=True)
        yield Played(tuple(RatedPlayer(a, team, int(team != won)) for a, team in players), ROLES)


def bits(folded: Folded) -> tuple[bytes, ...]:
    assert isinstance(folded.state, LiveSides)
    mean, covariance = folded.state.skills(range(20))
    weights = folded.state.weights
    return mean.tobytes(), covariance.tobytes(), weights.tobytes(), packed(folded)


@pytest.mark.parametrize("kept_after", [0, 37, 150])
def test_the_same_games_leave_the_same_bits_after_a_state_was_kept(kept_after: int) -> None:
    all_, straight, resumed = [*games(200, 20, seed=4)], Folded(LiveSides()), Folded(LiveSides())
    for number, played in enumerate(all_):
        if number == kept_after:
            again = unpacked(packed(resumed))
            assert again is not None
            resumed = again
        straight.play(played)
        resumed.play(played)

    assert bits(straight) == bits(resumed)
    assert (straight.games, straight.rated, straight.drawn) == (
        resumed.games,
        resumed.rated,
        resumed.drawn,
    )


def test_what_is_no_state_is_none() -> None:
    folded = Folded(LiveSides())
    for played in games(10, 8, seed=1):
        folded.play(played)
    body = packed(folded)

    wrong = (
        b"",
        b"{}",
        b"\xff" * 80,
        body[:-8],
        body + bytes(8),
        body.replace(b"widths", b"depths"),
    )
    assert [unpacked(each) for each in wrong] == [None] * len(wrong)
    line, _, rest = body.partition(b"\n")
    assert unpacked(line.replace(b'"agent": ', b'"agent": 1', 1) + b"\n" + rest) is None


@pytest.mark.slow
def test_a_run_resumes_from_what_was_kept(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_ratings, "_AT_THE_END", 1)
    whole = asyncio.run(run(small(), url=tmp_path / "whole.db"))
    path = tmp_path / "parts.db"
    asyncio.run(run(small(), url=path, games=7))
    with get_session(path) as session:
        kept = live_state(session, 1, kept_ratings.VERSION)
        assert kept is not None
        assert 0 < kept.place <= 7
        assert live_state(session, 1, kept_ratings.VERSION + 1) is None
        assert live_state(session, 2, kept_ratings.VERSION) is None

    folded: list[Played] = []
    shown: list[Folded] = []  # copies, over which waiting games are folded whenever one looks
    copy, play = Folded.copy, Folded.play

    def copied(self: Folded) -> Folded:
        shown.append(copy(self))
        return shown[-1]

    def played(self: Folded, game: Played) -> None:
        if not any(self is one for one in shown):
            folded.append(game)
        play(self, game)

    monkeypatch.setattr(Folded, "copy", copied)
    monkeypatch.setattr(Folded, "play", played)
    rest = asyncio.run(run(small(), url=path))

    assert rest.standings == whole.standings
    assert len(folded) == 12 - kept.place


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE live_states SET body = CAST('nonsense' AS BLOB)",
        "UPDATE live_states SET attempts = attempts - 1",
    ],
)
def test_a_state_that_cannot_be_trusted_is_folded_again(
    small: Small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(kept_ratings, "_AT_THE_END", 1)
    path = tmp_path / "arena.db"
    asyncio.run(run(small(("games: 12", "games: 4")), url=path))
    with get_session(path) as session:
        session.connection().execute(text(change))

    again = asyncio.run(run(small(("games: 12", "games: 4")), url=path))

    assert sum(standing.games for standing in again.standings) == 4 * 6
    with get_session(path) as session:
        kept = live_state(session, 1, kept_ratings.VERSION)
        assert kept is not None, "what was folded again is kept"
        assert kept.place == 4
    assert np.isfinite([standing.mu for standing in again.standings]).all()

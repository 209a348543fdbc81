"""A question that is asked twice says so: each comparison has an error rate of its own."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from arena.compare import (
    AmongQuestion,
    Question,
    answer,
    answer_among,
    configure,
    configure_among,
    played,
)
from arena.compare.among import _pairs
from arena.core import Pairing, RatedPlayer, UsageError
from arena.orchestrator import run
from arena.orchestrator.schedule import ScheduleHistory
from arena.orchestrator.standings import Played
from db.errors import BadSelection
from tests.on_record import catalogue

PLACE = "TicTacToe-v0"
ASKED = Question("Sharp", "Naive", PLACE)


@pytest.fixture
def url(sqlite_url: str) -> str:
    catalogue(sqlite_url)
    return sqlite_url


def play(url: str, question: Question, games: int) -> None:
    asyncio.run(run(configure(url, question), url=url, games=games))


@pytest.fixture(scope="module")
def asked_once(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file in which the question was asked, and two of its games were played."""
    file = Path(shutil.copy(sqlite_template, tmp_path_factory.mktemp("asked") / "asked.db"))
    catalogue(f"sqlite:///{file}")
    play(f"sqlite:///{file}", ASKED, 2)
    return file


@pytest.mark.parametrize(
    "again",
    [
        replace(ASKED, seed=2),
        replace(ASKED, a="Naive", b="Sharp"),
        replace(ASKED, test="evalue"),
        replace(ASKED, test="fixed", games=20),
        replace(ASKED, h1=0.6),
        replace(ASKED, name="another"),
    ],
)
def test_a_new_comparison_of_the_same_two_needs_to_be_asked_for(
    asked_once: Path, tmp_path: Path, again: Question
) -> None:
    url = f"sqlite:///{shutil.copy(asked_once, tmp_path / 'asked.db')}"

    with pytest.raises(
        UsageError, match=r"is on record already: 'compare Sharp and Naive in"
    ) as no:
        configure(url, again)
    assert "2 comparisons" in str(no.value)
    assert "with up to 10 %" in str(no.value)
    # The same question resumes, with other games and another field too it is no other one.
    assert configure(url, replace(ASKED, games=40)).name == configure(url, ASKED).name
    assert configure(url, replace(again, again=True)).name != configure(url, ASKED).name


@pytest.mark.slow
def test_every_verdict_says_how_many_comparisons_of_the_two_are_looked_at(url: str) -> None:
    play(url, ASKED, 2)
    first = answer(url, configure(url, ASKED))
    assert (first.looks, first.any_error) == (1, 0.05)

    other = replace(ASKED, a="Naive", b="Sharp", alpha=0.02, again=True)
    play(url, other, 2)
    for question in (ASKED, other):
        found = answer(url, configure(url, question))
        assert (found.looks, found.any_error) == (2, pytest.approx(0.07))
        assert not any("other pairs" in note for note in found.notes)
    looked = played(url, Question("Sharp", "Naive", PLACE))
    assert (looked.looks, looked.any_error) == (3, pytest.approx(0.12))

    # Another pair is another question, and many of them have one error or another.
    third = Question("Sharp", "Random", PLACE)
    play(url, third, 2)
    found = answer(url, configure(url, third))
    assert found.looks == 1
    assert any("2 comparisons of other pairs" in note and "--among" in note for note in found.notes)


def test_all_pairs_are_asked_together_and_asking_again_resumes(url: str) -> None:
    question = AmongQuestion(("Sharp", "Naive", "Random"), PLACE)
    config = configure_among(url, question)
    assert config.name == "compare among Sharp, Naive, Random in TicTacToe-v0"
    asyncio.run(run(config, url=url, games=8))
    asyncio.run(
        run(configure_among(url, replace(question, agents=("3", "1", "2"))), url=url, games=4)
    )

    found = answer_among(url, config)
    assert (found.settled, found.void, found.decided, len(found.pairs)) == (12, 0, 0, 3)
    assert [pair.games for pair in found.pairs] == [4, 4, 4]
    assert all(pair.low < 0.5 < pair.high for pair in found.pairs)
    with pytest.raises(UsageError, match="has asked this of the same agents"):
        configure_among(url, replace(question, seed=2))
    assert configure_among(url, replace(question, seed=2, again=True)).seed == 2
    # A comparison of one of these pairs is a second look at it.
    with pytest.raises(UsageError, match="is on record already: 'compare among"):
        configure(url, ASKED)


@pytest.mark.parametrize(
    ("agents", "said"),
    [
        (("Sharp",), "has 1 agent: expected two or more"),
        (("Sharp", "Naive", "1"), "has Sharp twice"),
        (("Sharp", "Nave"), "unknown agent 'Nave'; did you mean 'Naive'"),
    ],
)
def test_what_are_no_agents_to_be_compared_is_said(
    url: str, agents: tuple[str, ...], said: str
) -> None:
    with pytest.raises((UsageError, BadSelection), match=said):
        configure_among(url, AmongQuestion(agents, PLACE))
    with pytest.raises(UsageError, match="--games 5"):
        configure_among(url, AmongQuestion(("1", "2"), PLACE, games=5))
    with pytest.raises(UsageError, match="pairs play on two sides"):
        asyncio.run(
            run(configure_among(url, AmongQuestion(("1", "2"), "LiarsDice-v0", 3)), url=url)
        )


def schedule(won: dict[frozenset[int], int], blocks: int, void: int = 0) -> ScheduleHistory:
    """Blocks of three pairs by turns: who wins both games of each; None draws. The first
    `void` blocks came to nothing."""
    scheduled, settled = [], {}
    pairs = [(1, 2), (1, 3), (2, 3)]
    for block in range(blocks):
        a, b = pairs[block % 3]
        for turn, agents in enumerate(((a, b), (b, a))):
            best = won.get(frozenset(agents))
            place = 2 * block + turn
            scheduled.append(Pairing(place, block, block, agents))
            ranks = [int(best is not None and agent != best) for agent in agents]
            seats = tuple(
                RatedPlayer(a, n, r) for n, (a, r) in enumerate(zip(agents, ranks, strict=True))
            )
            settled[place] = None if block < void else Played(seats, ("", ""))
    lost = frozenset(range(2 * void))
    return ScheduleHistory(scheduled, settled, lost)


NAMES = {1: "Ann", 2: "Bob", 3: "Cid"}
PAIRS = [(1, 2), (1, 3), (2, 3)]
BEATS = {frozenset({1, 2}): 2, frozenset({1, 3}): 1}


def test_decided_pairs_have_a_direction_an_interval_and_games_that_came_too_late() -> None:
    found = {(p.a, p.b): p for p in _pairs(schedule(BEATS, 60), PAIRS, NAMES, 0.05)}

    assert {names: pair.favours for names, pair in found.items()} == {
        ("Ann", "Bob"): -1, ("Ann", "Cid"): 1, ("Bob", "Cid"): 0,
    }  # fmt: skip
    bob = found["Ann", "Bob"]
    assert (bob.score, bob.robust, bob.void) == (0.0, True, 0)
    assert bob.high < 0.5
    assert bob.games + bob.unused == 40
    assert bob.unused > 0
    even = found["Bob", "Cid"]
    assert (even.score, even.games, even.robust) == (0.5, 40, None)


def test_void_games_count_against_every_decision_at_once() -> None:
    few = {(p.a, p.b): p for p in _pairs(schedule(BEATS, 90, void=3), PAIRS, NAMES, 0.05)}
    assert (few["Ann", "Bob"].void, few["Ann", "Bob"].favours) == (2, -1)

    many = {(p.a, p.b): p for p in _pairs(schedule(BEATS, 90, void=45), PAIRS, NAMES, 0.05)}
    assert many["Ann", "Bob"].favours == -1
    assert (many["Ann", "Bob"].void, many["Ann", "Bob"].robust) == (30, False)

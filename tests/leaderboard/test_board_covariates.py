"""Anybody's covariate makes boards and comparisons surer, or is refused with the reason."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
from sqlalchemy import text

from arena.cli.leaderboard_table import print_boards
from arena.compare import Question, answer, configure
from arena.compare.adjusted import adjusted_score
from arena.core import PluginError, UsageError
from arena.leaderboard import LeaderboardQuery, boards
from arena.leaderboard.board import Board
from arena.leaderboard.rows import flat
from arena.orchestrator import run
from arena.registry import covariate
from arena.testing import ConformanceError, check_covariate
from db import get_session
from tests.leaderboard.table import Sat, Table
from tests.on_record import catalogue
from tests.strangers import Install, install

__all__ = ["install"]

TURNS = """\
class Turns:
    def expected(self, environment, seats):
        return [4.0 for _ in seats]

    def scored(self, environment, seats):
        return [seat.facts.get("turns") for seat in seats]

class Few(Turns):
    def scored(self, environment, seats):
        return [1.0]

class Odd(Turns):
    def expected(self, environment, seats):
        return [None for _ in seats]

class Ignorant(Turns):
    def scored(self, environment, seats):
        return [None for _ in seats]

class Broken(Turns):
    def scored(self, environment, seats):
        raise RuntimeError("no idea")
"""
NAMES = {name.lower(): name for name in ("Turns", "Few", "Odd", "Ignorant", "Broken")}


def luck(table: Table, *, leaks: bool = False) -> None:
    """Four equal agents; whoever wins was mostly lucky, and had more turns by it. Where it `leaks`,
    the first has more turns whatever comes of it."""
    draw = random.Random(5)
    agents = [table.agent(name, model=name) for name in ("Ann", "Bob", "Cid", "Dot")]
    rules = table.environment("Duel-v0")
    for _ in range(160):
        seats = draw.sample(agents, 2)
        first = draw.random() < 0.5
        game = table.play(rules, Sat(seats[0], int(not first)), Sat(seats[1], int(first)))
        for place, agent in enumerate(seats):
            lucky = (draw.random() < 0.85) == (first == (place == 0))
            turns = 4 + (1 if lucky else -1) + (2 if leaks and agent == agents[0] else 0)
            table.session.connection().execute(
                text("UPDATE game_players SET turns = :t WHERE game_id = :g AND player_index = :p"),
                {"t": turns, "g": game, "p": place},
            )


def ask(url: str, **query: Any) -> list[Board]:
    with get_session(url) as session:
        return boards(session, LeaderboardQuery(**query))


def test_a_board_is_surer_by_it_and_says_so(
    sqlite_url: str, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    install(TURNS, {"covariates": {"turns": "Turns"}})
    with get_session(sqlite_url) as session:
        luck(Table(session))
    (plain,), (surer,) = ask(sqlite_url), ask(sqlite_url, covariate="turns")

    assert (plain.saved, plain.covariate) == (None, None)
    assert surer.saved is not None
    assert surer.saved > 0.1
    assert sum(row.sigma for row in surer.rows) < sum(row.sigma for row in plain.rows)
    row = flat(surer, surer.rows[0])
    assert (row["covariate"], row["variance_saved"]) == ("turns", surer.saved)
    print_boards([surer], rates=False, wide=False, limit=9)
    assert "the covariate turns saved " in capsys.readouterr().err


def test_what_it_cannot_be_asked_with_is_told(sqlite_url: str, install: Install) -> None:
    with pytest.raises(UsageError, match="unknown covariate 'turns'; known: deal"):
        covariate("turns")
    install(TURNS, {"covariates": NAMES})
    with get_session(sqlite_url) as session:
        luck(Table(session))
    for query, error, said in (
        ({"covariate": "turn"}, UsageError, "did you mean 'turns'"),
        ({"covariate": "turns", "system": "trueskill"}, UsageError, "leave out --by and --system"),
        ({"covariate": "turns", "by": "model"}, UsageError, "leave out --by and --system"),
        ({"covariate": "ignorant"}, UsageError, "knows none of these games"),
        ({"covariate": "few"}, PluginError, r"scored \[1.0\]: expected 2 finite numbers"),
        ({"covariate": "odd"}, PluginError, r"expected \[None, None\]: expected 2 finite"),
        ({"covariate": "broken"}, PluginError, "RuntimeError"),
    ):
        with pytest.raises(error, match=said):
            ask(sqlite_url, **query)


def test_one_that_depends_on_who_plays_is_refused(sqlite_url: str, install: Install) -> None:
    install(TURNS, {"covariates": {"turns": "Turns"}})
    with get_session(sqlite_url) as session:
        luck(Table(session), leaks=True)
    with pytest.raises(UsageError, match=r"does not keep to what it expected .* scores of Ann are"):
        ask(sqlite_url, covariate="turns")


def test_the_conformance_kit_knows_those_that_keep_to_the_protocol(install: Install) -> None:
    install(TURNS, {"covariates": NAMES})
    check_covariate(lambda: covariate("turns"))
    with pytest.raises(ConformanceError, match=r"expected 2 numbers or None, found \[1.0\]"):
        check_covariate(lambda: covariate("few"))


def test_the_score_of_a_comparison_is_adjusted(sqlite_url: str, install: Install) -> None:
    install(TURNS, {"covariates": {"turns": "Turns"}})
    draw = random.Random(2)
    with get_session(sqlite_url) as session:
        table = Table(session)
        ann, bob = table.agent("Ann"), table.agent("Bob", model="large")
        rules = table.environment("Duel-v0")
        cup = table.tournament("cup", rules)
        for game in range(120):
            won = draw.random() < 0.5
            seats = [Sat(ann, int(not won)), Sat(bob, int(won))]
            if game % 2:
                seats.reverse()
            number = table.play(rules, *seats, tournament=cup, block=game // 2)
            for place, seat in enumerate(seats):
                lucky = (draw.random() < 0.9) == (seat.rank == 0)
                session.connection().execute(
                    text(f"UPDATE game_players SET turns = {5 if lucky else 3} "
                         f"WHERE game_id = {number} AND player_index = {place}")
                )  # fmt: skip
        found = adjusted_score(session, cup, (ann, bob), "turns", 60)
        half = adjusted_score(session, cup, (ann, bob), "turns", 30)
        few = adjusted_score(session, cup, (ann, bob), "turns", 9)
        turned = adjusted_score(session, cup, (bob, ann), "turns", 60)

    assert found is not None
    assert half is not None
    assert turned is not None
    low, high = found.interval
    assert low < 0.5 < high
    assert (found.blocks, half.blocks, few) == (60, 30, None)
    assert found.saved > 0.4
    assert turned.score == pytest.approx(1 - found.score)


@pytest.mark.slow
def test_a_comparison_is_decided_as_without(sqlite_url: str, install: Install) -> None:
    install(TURNS, {"covariates": {"turns": "Turns"}})
    catalogue(sqlite_url)
    config = configure(
        sqlite_url, Question("Sharp", "Random", "TicTacToe-v0", test="fixed", games=4)
    )
    asyncio.run(run(config, url=sqlite_url))
    plain, found = answer(sqlite_url, config), answer(sqlite_url, config, "turns")

    assert (found.covariate, found.adjusted) == ("turns", None)
    assert (found.verdict, found.sentence) == (plain.verdict, plain.sentence)

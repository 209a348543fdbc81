"""The luck of the deal: 0 on average whoever plays, found in the winners, and asked of events that
chance does and that are on record."""

from __future__ import annotations

import random
from statistics import fmean, stdev

import pytest
from sqlalchemy import text

from arena import registry
from arena.core.covariates import SeatDealt, SeatScored
from arena.core.environments import Observation
from arena.core.errors import UsageError
from arena.covariates.deal import Deal
from arena.leaderboard import LeaderboardQuery, boards
from arena.testing import check_covariate, offered
from arena.testing.transcript import play
from db import Repository, get_session
from db.writer.events import EventRow, EventsTold
from tests.leaderboard.table import Sat, Table
from tests.strangers import Install, install

__all__ = ["install"]

GAMES = 60


def weak(observation: Observation, rng: random.Random) -> str:
    """Player 0 folds whenever it can; player 1 plays at random."""
    if observation.player_index == 0 and "[fold]" in observation.text:
        return "[fold]"
    return offered(observation, rng)


@pytest.mark.parametrize("name", ["KuhnPoker-v0-mended", "IndianPoker-v0-mended"])
@pytest.mark.parametrize("policy", [offered, weak])
def test_it_is_zero_on_average_whoever_plays(name: str, policy: object) -> None:
    lucks = []
    for seed in range(GAMES):
        game = play(
            registry.environment(name, {}),
            seed=seed,
            num_players=2,
            policy=policy,  # type: ignore[arg-type]
        )
        deals = [event for event in game.events.events if event.kind == "deal"]
        seats = [
            SeatScored(SeatDealt(seat), chance=[deal for deal in deals if deal.target == seat])
            for seat in (0, 1)
        ]
        first, second = Deal().scored(name, seats)
        assert first is not None
        assert second is not None
        lucks.append(first - second)
    assert stdev(lucks) > 0.5
    assert abs(fmean(lucks)) < 3.5 * stdev(lucks) / GAMES**0.5


def test_a_hand_is_worth_what_it_is_above_the_mean() -> None:
    def luck(environment: str, *hands: list[str]) -> float | None:
        told = [EventRow(None, 1, None, "deal", None, 0, 1, {"cards": hand}) for hand in hands]
        seat = SeatScored(SeatDealt(0), chance=told)  # type: ignore[arg-type]
        return Deal().scored(environment, [seat])[0]

    assert luck("KuhnPoker-v0", ["K"], ["J"], ["Q"]) == 0
    assert luck("IndianPoker-v0-short", ["A"]) == 6
    poker = [luck("Poker-v0", hand) or 0.0 for hand in (["A♠", "A♥"], ["K♠", "Q♠"], ["2♠", "7♥"])]
    assert poker == sorted(poker, reverse=True)
    assert poker[0] > 20 > 0 > poker[2]
    assert luck("Nim-v0", ["A"]) is None


def deal(table: Table, games: int) -> None:
    """Games of Kuhn poker that the better card wins mostly, with the events of their deals."""
    draw = random.Random(5)
    agents = [table.agent(name, model=name) for name in ("Ann", "Bob", "Cid", "Dot")]
    rules = table.environment("KuhnPoker-v0")
    for _ in range(games):
        cards = draw.sample("JQK", 2)
        better = "JQK".index(cards[0]) > "JQK".index(cards[1])
        won = better == (draw.random() < 0.9)
        one, other = draw.sample(agents, 2)
        game = table.play(rules, Sat(one, int(not won)), Sat(other, int(won)))
        events = [
            EventRow(None, 1, None, "deal", None, seat, 1 << seat, {"cards": [card]})
            for seat, card in enumerate(cards)
        ]
        Repository(table.session).replace_events(EventsTold(game, 1, events))


def test_a_board_is_surer_by_it_once_the_events_are_told(database_url: str) -> None:
    with get_session(database_url) as session:
        deal(Table(session), 160)
    with get_session(database_url) as session:
        (plain,) = boards(session, LeaderboardQuery())
        (surer,) = boards(session, LeaderboardQuery(covariate="deal"))
    assert surer.saved is not None
    assert surer.saved > 0.1
    assert sum(row.sigma for row in surer.rows) < sum(row.sigma for row in plain.rows)

    with get_session(database_url) as session:
        session.execute(text("UPDATE games SET events_version = NULL WHERE id = 7"))
    with (
        get_session(database_url) as session,
        pytest.raises(UsageError, match="1 of these games have none on record: `arena events"),
    ):
        boards(session, LeaderboardQuery(covariate="deal"))


def test_what_players_do_is_no_covariate(sqlite_url: str, install: Install) -> None:
    install(
        """
        class Votes:
            events = ("vote",)
            def expected(self, environment, seats):
                return [0.0 for _ in seats]
            def scored(self, environment, seats):
                return [float(len(seat.chance)) for seat in seats]
        """,
        {"covariates": {"votes": "Votes"}},
    )
    with get_session(sqlite_url) as session:
        deal(Table(session), 8)
        with pytest.raises(UsageError, match="asks for the event 'vote', which depends on who"):
            boards(session, LeaderboardQuery(covariate="votes"))


def test_it_keeps_the_protocol() -> None:
    check_covariate(Deal)

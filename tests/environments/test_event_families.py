"""Each family of games tells its own facts, those of the last action of a round too."""

from __future__ import annotations

import pytest

from arena.environments.events.families import FAMILIES
from arena.environments.textarena_facts import FAMILIES as KNOWN
from tests.environments.telling import played

_PLAIN = ("message", "change", "speech", "refused")

GAMES = [
    (
        "KuhnPoker-v0-mended",
        2,
        ["[check]", "[bet]", "[call]"],
        [
            "start deal to 0 cards=['Q']",
            "start deal to 1 cards=['K']",
            "0 check by 1",
            "1 bet by 0 amount=1.0 how=bet pot=3.0",
            "2 call by 1 amount=1.0 pot=4.0",
            "2 showdown hands={'0': ['Q'], '1': ['K']}",
            "2 pot to 1 amount=4.0",
            "2 deal to 0 cards=['J']",
            "2 deal to 1 cards=['Q']",
        ],
    ),
    (
        "IndianPoker-v0-mended",
        2,
        ["[bet 2]", "[raise 3]", "[fold]"],
        [
            "start deal to 0 cards=['Q']",
            "start deal to 1 cards=['J']",
            "0 bet by 1 amount=2.0 how=bet pot=4.0",
            "1 bet by 0 amount=5.0 how=raise pot=9.0",
            "2 fold by 1",
            "2 pot to 0 amount=9.0",
            "2 deal to 0 cards=['2']",
            "2 deal to 1 cards=['Q']",
        ],
    ),
    (
        "Poker-v0",
        3,
        ["[call]", "[raise 40]", "[fold]", "[fold]"],
        [
            "start deal to 0 cards=['10♠', 'Q♦']",
            "start deal to 1 cards=['J♣', '6♠']",
            "start deal to 2 cards=['5♥', '9♠']",
            "start bet by 1 amount=10 how=blind pot=30",
            "start bet by 2 amount=20 how=blind pot=30",
            "0 call by 0 amount=20.0 pot=50.0",
            "1 bet by 1 amount=50.0 how=raise pot=100.0",
            "2 fold by 2",
            "3 fold by 0",
            "3 pot to 1 amount=100",
            "3 deal to 0 cards=['K♠', '3♣']",
            "3 deal to 1 cards=['9♣', '7♥']",
            "3 deal to 2 cards=['9♠', '10♥']",
            "3 bet by 0 amount=20 how=blind pot=30",
            "3 bet by 2 amount=10 how=blind pot=30",
        ],
    ),
    (
        "LiarsDice-v0",
        2,
        ["[Bid: 3, 4]", "[Call]"],
        [
            "start deal to 0 cards=['2', '5', '1', '3', '1']",
            "start deal to 1 cards=['4', '4', '4', '6', '4']",
            "0 bid by 0 amount=3 face=4",
            "1 call by 1 to 0 actual=4 loser=1",
            "1 deal to 0 cards=['2', '1', '4', '1', '4']",
            "1 deal to 1 cards=['4', '5', '1', '6']",
        ],
    ),
    (
        "IteratedPrisonersDilemma-v0",
        2,
        ["hi", "hello", "[defect]", "[cooperate]"],
        [
            "2 decision by 0 choice=defect",
            "3 decision by 1 choice=cooperate",
            "3 payoff to 0 amount=5 total=5",
            "3 payoff to 1 amount=0 total=0",
        ],
    ),
    (
        "IteratedRockPaperScissors-v0",
        2,
        ["[rock]", "[paper]"],
        [
            "0 decision by 0 choice=rock",
            "1 decision by 1 choice=paper",
            "1 payoff to 0 amount=0 total=0",
            "1 payoff to 1 amount=1 total=1",
        ],
    ),
    (
        "HighSociety-v0-mended",
        2,
        ["[3]", "[5]"],
        [
            "0 bid by 0 amount=3",
            "1 bid by 1 amount=5",
            "1 payoff to 0 amount=0 total=0",
            "1 payoff to 1 amount=3 total=3",
        ],
    ),
    (
        "ColonelBlotto-v0",
        2,
        ["[A10 B5 C5]", "[A4 B8 C8]"],
        [
            "0 allocate by 0 units={'A': 10, 'B': 5, 'C': 5}",
            "1 allocate by 1 units={'A': 4, 'B': 8, 'C': 8}",
            "1 payoff to 0 amount=0 total=0",
            "1 payoff to 1 amount=1 total=1",
        ],
    ),
    (
        "IteratedUltimatumGame-v0",
        2,
        ["[Offer: $3]", "[Accept]"],
        [
            "0 offer by 0 to 1 amount=3",
            "1 accept by 1 to 0",
            "1 payoff to 0 amount=47 total=47",
            "1 payoff to 1 amount=3 total=3",
        ],
    ),
    (
        "SimpleNegotiation-v0",
        2,
        ["[Offer: 1 Wheat -> 1 Ore]", "[Accept]"],
        [
            "0 offer by 0 to 1 gives={'Wheat': 1} wants={'Ore': 1}",
            "1 accept by 1 to 0",
            "1 trade by 0 to 1 gives={'Wheat': 1} gets={'Ore': 1}",
        ],
    ),
    (
        "TwoDollar-v0",
        2,
        ["[Propose] $1.20", "[Accept]"],
        [
            "0 offer by 0 to 1 amount=1.2",
            "1 accept by 1 to 0",
            "1 result winners=[0] reason=Player 0 met their role requirements, Player 1 failed",
        ],
    ),
    (
        "Taboo-v0",
        4,
        ["like a lamp", "[bulb]"],
        [
            "0 clue by 0 word=Solar cell",
            "1 guess by 1 guess=bulb correct=False",
        ],
    ),
    (
        "TruthAndDeception-v0",
        2,
        ["a", "a", "a", "a", "a", "[Fact 1]"],
        [
            "5 guess by 1 guess=Fact 1 correct=False",
            "5 result winners=[0] reason=Player 1 guessed the wrong fact.",
        ],
    ),
    (
        "Othello-v0",
        2,
        ["[2, 3]"],
        [
            "0 move by 0 move=2, 3",
            "0 capture by 0 piece=W count=1",
            "0 board fields={'2.3': ['', 'B'], '3.3': ['W', 'B']}",
        ],
    ),
    (
        "TicTacToe-v0",
        2,
        ["[4]", "x", "x"],
        [
            "0 move by 0 move=4",
            "0 board fields={'1.1': ['', 'O']}",
            "2 result winners=[0] reason=The submitted move does not follow the correct format.",
        ],
    ),
]


@pytest.mark.parametrize(
    ("name", "players", "actions", "facts"), GAMES, ids=lambda one: str(one)[:24]
)
def test_a_game_tells_its_facts(
    name: str, players: int, actions: list[str], facts: list[str]
) -> None:
    told = []
    for event in played(name, actions, players=players):
        if event.kind not in _PLAIN:
            when = "start" if event.turn is None else event.turn
            by = "" if event.source is None else f" by {event.source}"
            to = "" if event.target is None else f" to {event.target}"
            data = "".join(f" {key}={value}" for key, value in event.data.items())
            told.append(f"{when} {event.kind}{by}{to}{data}")

    assert told == facts


def test_facts_are_of_families_that_there_are() -> None:
    assert set(FAMILIES) <= set(KNOWN)
    assert set(KNOWN) - set(FAMILIES) == set()


def test_what_is_decided_belongs_to_the_round_it_was_decided_in() -> None:
    events = played("ColonelBlotto-v0", ["[A10 B5 C5]", "[A4 B8 C8]", "[A20]"], players=2)

    days = [event.day for event in events if event.kind in ("allocate", "payoff")]
    assert days == [1, 1, 1, 1, 2]

"""The covariate `deal`: the luck of the cards that a seat was dealt, in games of poker.

Every hand is dealt from a whole deck whatever was played before, so that what a hand is worth,
less the mean over all hands of the deck, is a martingale difference: its sum over the hands of a
game has the expectation 0 whoever sits there, also where play decides how many hands there are, of
which the rules allow so many (optional stopping; Williams, Probability with Martingales, 10.10).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from statistics import fmean

from arena.core.covariates import SeatDealt, SeatScored

_RANKS = ("2", "3", "4", "5", "6", "7", "8", "9", "10", "J", "Q", "K", "A")
_VALUE = {rank: place for place, rank in enumerate(_RANKS, 2)}
_DECK = [f"{rank}{suit}" for rank in _RANKS for suit in "♠♥♦♣"]


def _one_card(cards: Sequence[str]) -> float:
    (card,) = cards
    return float(_VALUE[card])


def _two_cards(cards: Sequence[str]) -> float:
    """About what two cards are worth before the board: their ranks, a pair and one suit more."""
    one, other = (_VALUE[card[:-1]] for card in cards)
    return one + other + (16.0 if one == other else 0.0) + (2.0 if _suited(cards) else 0.0)


def _suited(cards: Sequence[str]) -> bool:
    return cards[0][-1] == cards[1][-1]


_WORTH: Mapping[str, tuple[Callable[[Sequence[str]], float], float]] = {
    "KuhnPoker": (_one_card, fmean(_VALUE[rank] for rank in "JQK")),
    "IndianPoker": (_one_card, fmean(_VALUE[rank] for rank in _RANKS)),
    "Poker": (_two_cards, fmean(map(_two_cards, combinations(_DECK, 2)))),
}
"""By family: what a hand is worth, and the mean over all hands of its deck."""


class Deal:
    """Of a seat the sum, over its hands, of what they were worth less the mean of all hands
    (`arena.core.covariates.Covariate`)."""

    events = ("deal",)

    def expected(self, environment: str, seats: Sequence[SeatDealt]) -> Sequence[float]:
        return [0.0 for _ in seats]

    def scored(self, environment: str, seats: Sequence[SeatScored]) -> Sequence[float | None]:
        known = _WORTH.get(environment.partition("-")[0])
        if known is None:
            return [None for _ in seats]
        worth, mean = known
        return [sum(worth(event.data["cards"]) - mean for event in seat.chance) for seat in seats]

"""Which facts belong to which family of games."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from arena.environments.events.boards import FieldsFacts, MovesFacts, PiecesFacts
from arena.environments.events.cards import IndianPokerFacts, KuhnPokerFacts, PokerFacts
from arena.environments.events.clues import TabooFacts, TruthAndDeceptionFacts
from arena.environments.events.dice import LiarsDiceFacts
from arena.environments.events.facts import FamilyFacts, Safely, Tell
from arena.environments.events.iterated import (
    BidsFacts,
    ColonelBlottoFacts,
    IteratedFacts,
    SimpleBlindAuctionFacts,
)
from arena.environments.events.negotiation import (
    IteratedUltimatumGameFacts,
    NewRecruitFacts,
    SimpleNegotiationFacts,
    TwoDollarFacts,
)
from arena.environments.events.secret_mafia import SecretMafiaFacts

_BOARDS = (
    "Alquerque", "Breakthrough", "Checkers", "Crusade", "LinesOfAction", "Othello", "Stratego",
)  # fmt: skip
_BUILT_BOARDS = (
    "Battleship", "ConnectFour", "QuantumTicTacToe", "ReverseTicTacToe", "SantoriniBaseFixed",
    "SimpleTak", "Surround", "Tak", "ThreePlayerTicTacToe", "TicTacToe", "UltimateTicTacToe",
    "WildTicTacToe",
)  # fmt: skip
_MOVES = (
    "Briscola", "Chess", "Chopsticks", "GermanWhist", "Golf", "MemoryGame", "Nim", "PigDice",
    "SettlersOfCatan", "Snake", "SpiteAndMalice",
)  # fmt: skip
_ITERATED = (
    "IteratedMatchingPennies", "IteratedPrisonersDilemma", "IteratedRockPaperScissors",
    "IteratedStagHunt", "IteratedTwoThirdsAverage", "MarketEntryGame", "PublicGoodsGame",
    "ThreePlayerIPD",
)  # fmt: skip
_BIDS = ("GameOfPureStrategy", "HighSociety", "ThreePlayerGOPS")

FAMILIES: Mapping[str, type[FamilyFacts]] = MappingProxyType(
    {
        **dict.fromkeys(_BOARDS, PiecesFacts),
        **dict.fromkeys(_BUILT_BOARDS, FieldsFacts),
        **dict.fromkeys(_MOVES, MovesFacts),
        **dict.fromkeys(_ITERATED, IteratedFacts),
        **dict.fromkeys(_BIDS, BidsFacts),
        "ColonelBlotto": ColonelBlottoFacts,
        "IndianPoker": IndianPokerFacts,
        "IteratedUltimatumGame": IteratedUltimatumGameFacts,
        "KuhnPoker": KuhnPokerFacts,
        "LiarsDice": LiarsDiceFacts,
        "NewRecruit": NewRecruitFacts,
        "Poker": PokerFacts,
        "SecretMafia": SecretMafiaFacts,
        "SimpleBlindAuction": SimpleBlindAuctionFacts,
        "SimpleNegotiation": SimpleNegotiationFacts,
        "Taboo": TabooFacts,
        "TruthAndDeception": TruthAndDeceptionFacts,
        "TwoDollar": TwoDollarFacts,
    }
)
"""By family, all environments whose name begins alike."""


def facts_for(family: str, rules: Any, tell: Tell, safely: Safely) -> FamilyFacts:
    """The facts of one play of some rules."""
    return FAMILIES.get(family, FamilyFacts)(rules, tell, safely)

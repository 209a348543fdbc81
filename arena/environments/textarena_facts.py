"""What is known of TextArena's environments before they are imported: players, traps, exclusions.

The tests compare this page with the TextArena that is installed, by playing.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from arena.core import UsageError
from arena.environments.textarena_faults import twin_of, upstream_of

# Where TextArena does not clip an action to fewer itself. Several of its patterns are quadratic in
# the length of a line, so a hundred thousand characters would hold every other game for minutes.
MAX_CHARACTERS = 2_000

# Where it does: the default of its ClipCharactersActionWrapper.
_CLIPPED = 1_000


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one family, all environments whose name begins alike (`Nim-v0`, `Nim-v0-large`).

    `python` is the first version that can read its source; `numpy`: it draws from NumPy's global
    generator; `votes`: actions carry votes as Secret Mafia reads them; `raw`: its default
    observation hides what the players say, so it is made without wrappers; `even`: the number of
    players must be even; `max_characters`: of a longer action the rules read a part.
    """

    description: str
    min_players: int = 2
    max_players: int = 2
    python: tuple[int, int] = (3, 11)
    numpy: bool = False
    votes: bool = False
    raw: bool = False
    even: bool = False
    max_characters: int = MAX_CHARACTERS

    def check_players(self, name: str, num_players: int) -> None:
        """Raises UsageError when the rules cannot seat `num_players`."""
        if not self.min_players <= num_players <= self.max_players or (
            self.even and num_players % 2
        ):
            wanted = (
                f"{self.min_players}"
                if self.min_players == self.max_players
                else f"{self.min_players} to {self.max_players}"
            )
            raise UsageError(
                f"{name} was given {num_players} players; it is played by {wanted}"
                f"{', in even numbers' if self.even else ''}."
            )

    def check_python(self, name: str) -> None:
        """Raises UsageError when the source of the rules needs a newer Python."""
        if sys.version_info < self.python:
            raise UsageError(
                f"{name} needs Python {'.'.join(map(str, self.python))} or newer: TextArena wrote "
                f"it in a syntax that Python {sys.version_info[0]}.{sys.version_info[1]} cannot "
                "read. Create the virtual environment with a newer Python, or choose another "
                "environment (`arena environments list`)."
            )


FAMILIES: Mapping[str, Facts] = MappingProxyType(
    {
        "Alquerque": Facts("Alquerque: jump and capture on a 5x5 board."),
        "Battleship": Facts("Battleship: find and sink the other fleet."),
        "Breakthrough": Facts("Breakthrough: the first pawn across the board wins."),
        "Briscola": Facts("Briscola: an Italian trick-taking card game."),
        "Checkers": Facts("Checkers.", python=(3, 12)),
        "Chess": Facts("Chess, in UCI moves.", python=(3, 12)),
        "Chopsticks": Facts("Chopsticks: a game of adding fingers."),
        "ColonelBlotto": Facts("Colonel Blotto: both players secretly divide their units."),
        "ConnectFour": Facts("Connect Four."),
        "Crusade": Facts("Crusade: knights capture across a board."),
        "GameOfPureStrategy": Facts("Goofspiel: secret bids for a row of prizes."),
        "GermanWhist": Facts("German Whist: tricks for two."),
        "Golf": Facts("Golf: the lowest hand of cards wins."),
        "HighSociety": Facts("High Society: an auction in which overspending loses."),
        "IndianPoker": Facts("Indian Poker: everybody sees every card but their own."),
        "IteratedMatchingPennies": Facts("Matching Pennies, repeated."),
        "IteratedPrisonersDilemma": Facts(
            "The Prisoner's Dilemma, repeated, with talk.", max_characters=_CLIPPED
        ),
        "IteratedRockPaperScissors": Facts("Rock, Paper, Scissors, repeated."),
        "IteratedStagHunt": Facts(
            "The Stag Hunt, repeated, with talk.",
            python=(3, 12),
            numpy=True,
            max_characters=_CLIPPED,
        ),
        "IteratedTwoThirdsAverage": Facts("Guess two thirds of the average, repeated."),
        "IteratedUltimatumGame": Facts("The Ultimatum Game, repeated."),
        "KuhnPoker": Facts("Kuhn Poker: three cards, one bet."),
        "LiarsDice": Facts("Liar's Dice: bid on hidden dice or call the bluff.", 2, 15),
        "LinesOfAction": Facts("Lines of Action: connect all your pieces."),
        "MarketEntryGame": Facts("Market Entry: who enters a market that may be crowded.", 2, 15),
        "MemoryGame": Facts("Memory: turn over pairs."),
        "NewRecruit": Facts("New Recruit: a recruiter and a candidate negotiate a contract."),
        "Nim": Facts("Nim: take objects from piles; who takes the last one wins."),
        "Othello": Facts("Othello."),
        "PigDice": Facts("Pig: roll on or hold."),
        "Poker": Facts("Texas Hold'em with blinds.", 2, 15),
        "PublicGoodsGame": Facts("Public Goods: contribute or ride free.", 2, 15),
        "QuantumTicTacToe": Facts("Tic-Tac-Toe with entangled marks."),
        "ReverseTicTacToe": Facts("Tic-Tac-Toe in which three in a row loses.", python=(3, 12)),
        "SantoriniBaseFixed": Facts("Santorini: build, climb, stand on the third level.", 2, 3),
        "SecretMafia": Facts(
            "Secret Mafia: a village looks for the Mafia that kills it by night.",
            6,
            15,
            votes=True,
            max_characters=_CLIPPED,
        ),
        "SettlersOfCatan": Facts("Settlers of Catan: trade and build.", 4, 4),
        "SimpleBlindAuction": Facts("A sealed-bid auction after a talk."),
        "SimpleNegotiation": Facts("Trade resources that both value differently.", raw=True),
        "SimpleTak": Facts("Tak without stacks: connect two edges with a road."),
        "Snake": Facts("Snakes on one board, all moving at once.", 2, 15),
        "SpiteAndMalice": Facts("Spite and Malice: a competitive patience."),
        "Stratego": Facts("Stratego: capture a flag among hidden ranks."),
        "Surround": Facts("Surround: leave a trail, hit none.", 2, 15),
        "Taboo": Facts("Taboo: clues without the forbidden words, two teams.", 4, 14, even=True),
        "Tak": Facts("Tak: connect two edges with a road, stacks included."),
        "ThreePlayerGOPS": Facts("Goofspiel for three.", 3, 3),
        "ThreePlayerIPD": Facts(
            "The Prisoner's Dilemma for three, repeated, with talk.",
            3,
            3,
            max_characters=_CLIPPED,
        ),
        "ThreePlayerTicTacToe": Facts("Tic-Tac-Toe for three.", 3, 3),
        "TicTacToe": Facts("Tic-Tac-Toe."),
        "TruthAndDeception": Facts("A deceiver and a guesser: which of two facts is true?"),
        "TwoDollar": Facts("Divide two dollars under secret instructions."),
        "UltimateTicTacToe": Facts("Ultimate Tic-Tac-Toe: nine boards in one."),
        "WildTicTacToe": Facts("Tic-Tac-Toe in which both may play X or O."),
    }
)

# Their boards are too small for all the players that the larger ones of their families seat.
SMALL_BOARDS: Mapping[str, int] = MappingProxyType({"Snake-v0": 9, "Surround-v0": 9})

# Environments of two or more players that are not offered, and why.
EXCLUDED: Mapping[str, str] = MappingProxyType(
    {
        "CharacterConclave": "broken: its rules raise",
        "Codenames": "downloads word lists when it is imported",
        "Debate": "its jury needs a provider's key",
        "DontSayIt": "downloads word lists",
        "LetterAuction": "downloads word lists when it is imported",
        "ScenarioPlanning": "its jury needs a provider's key",
        "ScorableGames": "broken: its rules raise",
        "SpellingBee": "downloads word lists",
        "UsedCar": "broken: registered, but its source is missing",
        "UsedCarNegotiation": "broken: its rules raise",
        "WordChains": "downloads word lists; depends on PYTHONHASHSEED",
    }
)

# TextArena has no separate list of these: it only says so in comments.
SINGLE_PLAYER: frozenset[str] = frozenset(
    (
        "2048",
        "BabyAiText",
        "Bandit",
        "Blackjack",
        "Countdown",
        "Crosswords",
        "Cryptarithm",
        "FifteenPuzzle",
        "FrozenLake",
        "GuessTheNumber",
        "GuessWho",
        "Hangman",
        "Klondike",
        "LightsOut",
        "LogicPuzzle",
        "Mastermind",
        "Minesweeper",
        "PegJump",
        "RushHour",
        "Secretary",
        "Set",
        "Slitherlink",
        "Sokoban",
        "Sudoku",
        "ThreeCardMonte",
        "TowerOfHanoi",
        "TwentyQuestions",
        "UltimateTexasHoldem",
        "WordLadder",
        "WordSearch",
        "Wordle",
    )
)


def family_of(name: str) -> str:
    """`Nim-v0-large` is of the family `Nim`."""
    return name.partition("-v0")[0]


def facts_of(name: str) -> Facts:
    """The facts of an environment. Raises UsageError for one that is not offered."""
    family = family_of(name)
    upstream = upstream_of(name)
    if name != upstream and family in FAMILIES and twin_of(upstream) is None:
        raise UsageError(f"{upstream} has no mended twin: no fault of it is mended.")
    if name in SMALL_BOARDS:
        return replace(FAMILIES[family], max_players=SMALL_BOARDS[name])
    if family in FAMILIES:
        return FAMILIES[family]
    if family in EXCLUDED:
        raise UsageError(f"{name} cannot be played here: {EXCLUDED[family]}.")
    if family in SINGLE_PLAYER:
        raise UsageError(f"{name} cannot be played here: it is a game for one player.")
    near = difflib.get_close_matches(family, FAMILIES, n=1)
    hint = f" Did you mean {near[0]}-v0?" if near else " See `arena environments list`."
    raise UsageError(f"TextArena has no environment named {name!r}.{hint}")

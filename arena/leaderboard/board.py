"""The board: every agent's rating with what it rests on, one table for each pool of agents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from arena.leaderboard.records import AgentRecord
from arena.reports.html import table
from arena.reports.noise_floor import PromptNoise
from arena.stats.score import ScoreTest
from db.queries.conduct import ConductRow
from db.queries.usage import FinishedUsage

QUARTILE = 0.6744897501960817
"""The 75 % quantile of the normal distribution."""


@dataclass(frozen=True, slots=True)
class Equilibrium:
    """An agent's deviation rating in units of mu: what it wins by against the mix of opponents
    that nothing beats, at most 0; the median of the posterior, with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ForkChange:
    """What a fork's rating is above its parent's, with the 95 % interval of the difference."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A row of a board.

    `rating` is on the scale on which the pool's average is 25, or the board's anchor; `sigma` and
    the 95 % interval from `low` to `high` are those of the difference to that, of the row alone.
    `best_rank` and `worst_rank` are the tenable ones, all of them together with 95 % confidence.
    Rows that share a letter of `group` cannot be told apart by the same test of all pairs together
    (`arena.stats.groups`); large boards have none.

    `without_errors` is the rating without the games that an error decided, None where nothing is
    left of them, and `errors_drawn` the rating with these games as draws, None where that was not
    asked for. `at_best` is what half of the interval's width would come to with any number of
    games, and `agents` how many agents the row is of; `spent` and `conduct` are None where nothing
    is known. `void_games` are the attempts at games without a result in which it sat, in any role,
    and `void_own` those that ended in its own turn. `equilibrium` is its deviation rating, where
    that was asked for. `change` is what a prompt is above the one it was forked from, None where
    both did not play with a kind and a model in common.
    """

    rank: int
    group: str
    agent_id: int | None
    name: str
    rating: float
    sigma: float
    low: float
    high: float
    record: AgentRecord
    best_rank: int = 1
    worst_rank: int = 1
    without_errors: float | None = None
    errors_drawn: float | None = None
    agents: int = 1
    at_best: float | None = None
    conduct: ConductRow | None = None
    spent: FinishedUsage | None = None
    void_games: int = 0
    void_own: int = 0
    equilibrium: Equilibrium | None = None
    change: ForkChange | None = None

    @property
    def middle(self) -> tuple[float, float]:
        """The 50 % interval of the rating."""
        half = QUARTILE * self.sigma
        return self.rating - half, self.rating + half


@dataclass(frozen=True, slots=True)
class Board:
    """A pool of agents that games connect, rated together, best first.

    `games` were rated, `by_error` of them decided by an agent's error, and `touched` those out
    of which the rules threw somebody for one; `left_out` were not rated because they were, and
    `repeats` because they are another of the games again.
    `told_apart` pairs of rows differ, the probability of a single mistake among all pairs together
    being at most 5 %. `anchor` is the agent at 25, None where that is the mean of all. `additivity`
    is the test that skills add up to the results, `drift` that they did not change while the games
    were played, None where there is nothing to test. `weights`
    are what each of several environments counts for, {} of one and where the system cannot tell
    them apart. `noise` is what null variants of prompts among the rows differ by, None without any.
    `saved` is the share of the ratings' variance that the `covariate` saved, None without one.
    `notes` are sentences for people: what the numbers do not say. `environment_id` is None where
    the games are of several.
    """

    environment: str | None
    num_players: int | None
    version: str | None
    tournament: str | None
    system: str
    role: str | None
    team: str | None
    by: str
    games: int
    by_error: int
    touched: int
    left_out: int
    rows: tuple[BoardRow, ...]
    notes: tuple[str, ...] = ()
    told_apart: int = 0
    repeats: int = 0
    anchor: str | None = None
    additivity: ScoreTest | None = None
    drift: ScoreTest | None = None
    weights: Mapping[str, float] = field(default_factory=dict)
    noise: PromptNoise | None = None
    covariate: str | None = None
    saved: float | None = None
    environment_id: int | None = None

    def _repr_html_(self) -> str:
        return table(
            ("rank", "name", "rating", "low", "high", "group", "games"),
            (
                (
                    row.rank, row.name, row.rating, row.low, row.high, row.group,
                    row.record.whole.games,
                )
                for row in self.rows
            ),
            caption=" · ".join(
                part for part in (self.tournament, self.environment, self.system) if part
            ),
            notes=self.notes,
        )  # fmt: skip

    @property
    def pairs(self) -> int:
        """How many pairs its rows make."""
        return len(self.rows) * (len(self.rows) - 1) // 2

    @property
    def team_shares(self) -> dict[str, float]:
        """The share of its games that each team won, a draw counting half, by the seats of its
        rows in it; the team with the most first."""
        seats: dict[str, int] = {}
        won: dict[str, float] = {}
        for row in self.rows:
            for team, tally in row.record.teams.items():
                seats[team] = seats.get(team, 0) + tally.seats
                won[team] = won.get(team, 0.0) + tally.wins + tally.draws / 2
        shares = {team: won[team] / seats[team] for team in sorted(seats) if seats[team]}
        return dict(sorted(shares.items(), key=lambda entry: -entry[1]))

    @property
    def separability(self) -> float | None:
        """The share of pairs that are told apart; None of a single row."""
        return self.told_apart / self.pairs if self.pairs else None

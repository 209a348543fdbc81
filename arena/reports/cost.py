"""What games cost and where the money went: by agent, model, phase and purpose; and budgets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from arena.reports.tournament import budget_of
from db import Repository, Session
from db.counts import GameCounts
from db.models.counters import MONEY
from db.queries.agents import agent_names
from db.queries.call_costs import CallCosts, SampledCosts, sampled_costs, side_costs
from db.queries.counters import AgentCounts, agent_counts
from db.queries.spending import spent_by_tournament
from db.selection import Selection

SAMPLE = 200
"""Games whose calls are read one by one."""


@dataclass(frozen=True, slots=True)
class CostRow:
    """What an agent, or a model in all its agents, took: `charged` is dollars in finished games,
    `void` those of attempts without a result; `unpriced` calls were answered without a known
    price."""

    name: str
    agent_id: int | None
    games: int
    calls: int
    failed: int
    prompt_tokens: int
    response_tokens: int
    cached_tokens: int
    reasoning_tokens: int
    charged: float
    void: float
    unpriced: int

    @property
    def per_game(self) -> float | None:
        """Dollars a finished game, void attempts left out; None without games."""
        return self.charged / self.games if self.games else None

    @property
    def tokens(self) -> int:
        """Sent and received."""
        return self.prompt_tokens + self.response_tokens

    @property
    def cached_share(self) -> float | None:
        """How many of the tokens sent the provider had cached, from 0 to 1."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else None


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """What a tournament was charged, of its `budget` where it has one, in dollars."""

    tournament: str
    charged: float
    budget: float | None

    @property
    def share(self) -> float | None:
        """Of the budget, from 0."""
        return self.charged / self.budget if self.budget else None


@dataclass(frozen=True, slots=True)
class CostReport:
    """What the games of a selection cost, those with the most dollars first. `games` are seats of
    agents in finished games, so that a game counts once for each of its agents; `sampled` are the
    newest games, call by call; `aside` calls that no player made, of the whole database."""

    agents: tuple[CostRow, ...]
    models: tuple[CostRow, ...]
    sampled: SampledCosts
    aside: tuple[CallCosts, ...]
    budgets: tuple[BudgetRow, ...]

    @property
    def charged(self) -> float:
        """Dollars of finished games."""
        return sum(row.charged for row in self.models)

    @property
    def void(self) -> float:
        """Dollars of attempts without a result."""
        return sum(row.void for row in self.models)

    @property
    def calls(self) -> int:
        """Attempts at a model."""
        return sum(row.calls for row in self.models)

    @property
    def tokens(self) -> int:
        """Sent and received."""
        return sum(row.tokens for row in self.models)


def cost_report(session: Session, selection: Selection) -> CostReport:
    """The costs of the tournaments and environments of a selection.

    Raises BadSelection for what is not on record, and for anything else in the selection.
    """
    selection.allow("tournament", "environment", what="costs")
    names = agent_names(session)
    counts = agent_counts(session, selection)
    wanted = selection.on(session).named.get("tournament")
    return CostReport(
        agents=_rows(counts, lambda agent: (names[agent].name, agent)),
        models=_rows(counts, lambda agent: (names[agent].model, None)),
        sampled=sampled_costs(session, selection, SAMPLE),
        aside=side_costs(session),
        budgets=_budgets(session, None if wanted is None else {*wanted}, selection),
    )


def _rows(
    counts: Mapping[int, AgentCounts], of: Callable[[int], tuple[str, int | None]]
) -> tuple[CostRow, ...]:
    finished: dict[tuple[str, int | None], GameCounts] = {}
    void: dict[tuple[str, int | None], GameCounts] = {}
    for agent, count in counts.items():
        finished.setdefault(of(agent), GameCounts()).add(count.finished)
        void.setdefault(of(agent), GameCounts()).add(count.void)
    rows = [
        CostRow(
            name=key[0],
            agent_id=key[1],
            games=done.games - done.again,
            calls=done.calls + lost.calls,
            failed=done.failed + lost.failed,
            prompt_tokens=done.prompt_tokens + lost.prompt_tokens,
            response_tokens=done.response_tokens + lost.response_tokens,
            cached_tokens=done.cached_tokens + lost.cached_tokens,
            reasoning_tokens=done.reasoning_tokens + lost.reasoning_tokens,
            charged=done.charged / MONEY,
            void=lost.charged / MONEY,
            unpriced=done.unpriced + lost.unpriced,
        )
        for key, done in finished.items()
        for lost in [void[key]]
    ]
    return tuple(
        sorted(rows, key=lambda row: (-row.charged - row.void, -row.prompt_tokens, row.name))
    )


def _budgets(
    session: Session, wanted: set[int] | None, selection: Selection
) -> tuple[BudgetRow, ...]:
    charged = spent_by_tournament(session)
    places = selection.on(session).named.get("environment")
    found = []
    for row in Repository(session).get_tournaments():
        if wanted is not None and row.id not in wanted:
            continue
        if places is not None and row.environment_id not in places:
            continue
        known = budget_of(row.settings or {}, row.config)
        spent = charged.get(row.id or 0, 0.0)
        if spent or known is not None:
            found.append(BudgetRow(row.name, spent, known))
    return tuple(sorted(found, key=lambda row: (-row.charged, row.tournament)))

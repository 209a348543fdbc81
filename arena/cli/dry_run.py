"""`arena run --dry-run`: what would be played and what it may cost, and nothing of it done."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from arena.cli.output import Column, count, duration, money, print_in_parts, print_line, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from arena.core import ModelSpec
    from arena.forecast.cost import Estimate, ForecastInterval, ModelEstimate
    from arena.forecast.plan import Plan
    from arena.llm.providers.protocol import CallPath
    from db.database import Source


_FEW = 8  # agents whose meetings fit beside each other


def show_plan(plan: Plan, database: Source) -> None:
    """The plan of a run on stdout."""
    from arena.orchestrator.memories import said_in_order

    now = plan.games_now
    done = f", {plan.games_done:,} of {plan.games:,} already played" if plan.games_done else ""
    _say(
        f"{plan.tournament}: {count(now, 'game')} of {plan.environment} "
        f"with {count(plan.players, 'player')}{done}"
    )
    played = f"{count(plan.concurrency, 'game')} at the same time"
    if plan.learners:
        played = said_in_order(plan.learners)
    _say(f"pairings by {plan.matchmaker}; {played}; executor {plan.executor}")
    if plan.shortfall is not None:
        known = "; ".join(part for part in (plan.shortfall.ratings, plan.shortfall.games) if part)
        _say(f"in simulations of {plan.matchmaker}, {known}")
    _say()
    _show_balance(plan)
    if plan.models:
        _say()
        _show_models(plan.models, plan.paths)
    if plan.estimate is not None and now:
        _say()
        _show_estimate(plan.estimate)
        if plan.budget is not None:
            spent = _spent(database, plan.tournament)
            _say(budget_line(plan.estimate.dollars, now, plan.budget, spent))
        _say()
        for note in plan.estimate.notes:
            _say(note)
    if plan.missing is None:
        _say("\nEverything is in order; nothing was played or written.")


def _show_models(models: Sequence[ModelSpec], paths: Mapping[str, CallPath]) -> None:
    """Who is asked, at which address, which variables' values go there, and by which path."""
    from arena.llm.key_places import variables_of
    from arena.llm.scripted.policies import is_scripted

    asked = [
        [
            model.name,
            model.litellm_model,
            model.api_base or "",
            ", ".join(variables_of(model)),
            "" if is_scripted(model) else _path(paths.get(model.name)),
        ]
        for model in models
    ]
    named = [
        Column("model", shrink=True, least=24),
        Column("LiteLLM's name", shrink=True, least=24),
        Column("at", shrink=True, least=24),
        Column("is sent the value of", shrink=True, least=24),
        Column("path", shrink=True, least=24),
    ]
    shown = [place for place in range(len(named)) if place < 2 or any(row[place] for row in asked)]
    print_in_parts(
        [named[place] for place in shown],
        [[row[place] for place in shown] for row in asked],
        repeated=1,
    )


def _path(path: CallPath | None) -> str:
    """How a model's calls are sent: `lean`, or through LiteLLM and why."""
    if path is None:
        return ""
    return "lean" if path.lean else f"through LiteLLM: {path.why}"


def _show_balance(plan: Plan) -> None:
    """Agent by role and, for few agents, agent by agent; else how uneven that is."""
    balance, n = plan.balance, len(plan.agents)
    if plan.follows_results:
        _say("who meets whom follows from the results; if they told nothing, it would be")
    if plan.games_done:
        _say("with the games that were played already:")
    few = n <= _FEW
    print_in_parts(
        [
            Column("", "right", style="dim"),
            Column("agent", shrink=True, least=16),
            Column("games", "right"),
            *(Column(role, "right") for role in balance.roles),
            *([Column(f"with {number}", "right") for number in range(1, n + 1)] if few else []),
        ],
        [
            [
                str(row + 1),
                name,
                f"{balance.games[row]:,}",
                *(f"{seats:,}" for seats in balance.by_role[row].tolist()),
                *(
                    [
                        "-" if other == row else f"{balance.together[row, other]:,}"
                        for other in range(n)
                    ]
                    if few
                    else []
                ),
            ]
            for row, name in enumerate(plan.agents)
        ],
        repeated=2,
    )
    _say(
        f"at most uneven by: {count(balance.uneven_games, 'game')} an agent, "
        f"{count(balance.uneven_roles, 'seat')} in a role, "
        f"{count(balance.uneven_meetings, 'game')} of two agents together, "
        f"{balance.uneven_opposition:,} on different teams"
    )


def _show_estimate(estimate: Estimate) -> None:
    """The figures per model and in all."""
    rows: list[tuple[str, Estimate | ModelEstimate]] = [*estimate.models.items()]
    if len(rows) != 1:
        rows.append(("in all", estimate))
    print_in_parts(
        [
            Column("estimate", shrink=True, least=24),
            Column("calls", "right"),
            Column("dollars", "right"),
            Column("tokens sent", "right"),
            Column("tokens answered", "right"),
        ],
        [
            [
                name,
                between(part.calls, whole),
                "unknown" if part.dollars is None else between(part.dollars, money),
                between(part.prompt_tokens, whole),
                between(part.response_tokens, whole),
            ]
            for name, part in rows
        ],
        repeated=1,
    )
    _say()
    _say(f"time: {between(estimate.seconds, duration)}")


def budget_line(dollars: ForecastInterval | None, games: int, budget: float, spent: float) -> str:
    """How far the budget goes: `dollars` is for all of the `games`."""
    already = f" ({money(spent)} of it are spent)" if spent else ""
    said = f"the budget of {money(budget)}{already}"
    if dollars is None:
        return f"{said}: how far it goes is unknown, because a price is"
    room = max(budget - spent, 0.0)
    low, mean, high = (
        _games(room, cost / games) for cost in (dollars.high, dollars.mean, dollars.low)
    )
    if mean >= games:
        doubt = "" if low >= games else f"; at worst it is reached after {count(int(low), 'game')}"
        return f"{said} is enough{doubt}"
    most = "all of them" if high >= games else f"{int(high):,}"
    return (
        f"{said} is reached after about {count(int(mean), 'game')} "
        f"({int(low):,} to {most}); what runs then is paused, and goes on once it is raised"
    )


def between(interval: ForecastInterval, shown: Callable[[float], str]) -> str:
    """`120 (95 to 160)`; a number alone where there is no doubt."""
    low, mean, high = (shown(value) for value in (interval.low, interval.mean, interval.high))
    return mean if low == high else f"{mean} ({low} to {high})"


def whole(number: float) -> str:
    """`950`, `12,300`, `4.21 M`."""
    if number >= 1e9:
        return f"{number / 1e9:,.2f} G"
    return f"{number / 1e6:.2f} M" if number >= 1e6 else f"{round(number):,}"


def _games(room: float, each: float) -> float:
    return room / each if each > 0 else math.inf


def _spent(database: Source, tournament: str) -> float:
    """Dollars that count against the budget already."""
    from db import Repository, get_session
    from db.errors import MissingDatabase
    from db.queries.spending import spent_in_all

    try:
        with get_session(database, create=False) as session:
            row = Repository(session).get_tournament_by_name(tournament)
            if row is None or row.id is None:
                return 0.0
            return math.fsum(spent_in_all(session, row.id).values())
    except MissingDatabase:
        return 0.0


def _say(line: str = "") -> None:
    print_line(safe(line, keep="\n"))

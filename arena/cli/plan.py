"""`arena run --dry-run`: what would be played, and nothing of it done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arena.cli.output import Column, console, count, print_table, safe

if TYPE_CHECKING:
    from arena.orchestrator import Plan


def show_plan(plan: Plan, *, games: int | None = None, concurrency: int | None = None) -> None:
    """The plan of a run on stdout; `games` and `concurrency` are what the command line said."""
    out = console()
    left = plan.games - plan.games_done
    now = left if games is None else min(left, games)
    done = f", {plan.games_done:,} of {plan.games:,} already played" if plan.games_done else ""
    out.print(
        safe(
            f"{plan.tournament}: {count(now, 'game')} of {plan.environment} "
            f"with {count(plan.players, 'player')}{done}"
        ),
        soft_wrap=True,
    )
    out.print(
        safe(
            f"pairings by {plan.matchmaker}, {concurrency or plan.concurrency:,} games at the "
            "same time"
        ),
        soft_wrap=True,
    )
    out.print()
    print_table(
        [Column("agent", shrink=True), Column("seats in the schedule", "right")],
        [[name, f"{plan.seats_per_agent.get(name, 0):,}"] for name in plan.agents],
    )
    if plan.models:
        out.print()
        print_table(
            [Column("model"), Column("LiteLLM's name", shrink=True)],
            [[name, litellm] for name, litellm in plan.models.items()],
        )
    out.print("\nEverything is in order; nothing was played or written.")

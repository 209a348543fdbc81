"""Prints the prompts as a tree of forks, with what each fork changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from arena.cli.output import Column, advise, console, count, print_line, print_table, safe, tell

if TYPE_CHECKING:
    from arena.leaderboard.lineage import PromptLineage, Twig

_DEEPEST = 12  # forks that are indented: beyond, a name would have no room


def print_lineages(found: Sequence[PromptLineage]) -> None:
    """Every environment's tree, on stdout."""
    from rich.text import Text

    if not found:
        advise("the catalogue has no prompts yet; `arena prompts add` adds one")
        return
    out = console()
    for place, lineage in enumerate(found):
        if place:
            out.print()
        if lineage.environment:
            title = Text(style="bold")
            for part in (lineage.tournament, lineage.environment):
                if part:
                    title.append_text(safe(part)).append(" · ")
            if lineage.num_players:
                title.append(f"{count(lineage.num_players, 'player')} · ")
            print_line(title.append(count(lineage.games, "game")), out)
        _table(lineage.twigs)
        for note in lineage.notes:
            advise(note)
    if all(lineage.environment is None for lineage in found):
        advise("no game has been rated yet, so no prompt has a rating")
        return
    tell(
        "rating: what the prompt adds to an agent, 25 for the average prompt; change: from the "
        "prompt it was forked from, where both played with the same kind and model"
    )


def flat(lineage: PromptLineage) -> list[dict[str, Any]]:
    """A flat row for each prompt of an environment."""
    return [
        {
            "environment": lineage.environment,
            "num_players": lineage.num_players,
            "version": lineage.version,
            "tournament": lineage.tournament,
            "prompt": twig.name,
            "forked_from": twig.parent,
            "depth": twig.depth,
            "games": twig.games,
            "rating": twig.rating,
            "low": twig.interval[0] if twig.interval else None,
            "high": twig.interval[1] if twig.interval else None,
            "change": asdict(twig.change) if twig.change else None,
        }
        for twig in lineage.twigs
    ]


def _table(twigs: Sequence[Twig]) -> None:
    print_table(
        [
            Column("prompt", shrink=True, style="bold"),
            Column("rating", "right"),
            Column("95 %", "right", style="dim"),
            Column("games", "right"),
            Column("change", "right"),
            Column("95 %", "right", style="dim"),
        ],
        [
            [
                f"{_indent(twig.depth)}{twig.name}",
                "not rated" if twig.rating is None else f"{twig.rating:.2f}",
                f"{twig.interval[0]:.1f} to {twig.interval[1]:.1f}" if twig.interval else "",
                f"{twig.games:,}" if twig.games else "",
                f"{twig.change.mean:+.2f}" if twig.change else _unknown(twig),
                f"{twig.change.low:+.1f} to {twig.change.high:+.1f}" if twig.change else "",
            ]
            for twig in twigs
        ],
    )


def _indent(depth: int) -> str:
    return "" if not depth else "  " * (min(depth, _DEEPEST) - 1) + "└ "


def _unknown(twig: Twig) -> str:
    return "" if twig.parent is None or twig.rating is None else "?"

"""`arena place`: an agent's rating against a reference pool that it does not move."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import AsJson, BudgetOption, ConcurrencyOption, DatabaseUrl
from arena.cli.output import (
    Column,
    console,
    count,
    money,
    print_json,
    print_line,
    print_table,
    safe,
    tell,
)

if TYPE_CHECKING:
    from arena.compare import Placed, Placement, PlacingQuestion
    from arena.forecast.review import Review


def place(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="By its name or number.")],
    against: Annotated[
        str,
        typer.Option(metavar="POOL", help="The pool, as a tournament's `pool:` names it."),
    ],
    games: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Games to play, instead of as many as the pool says."
        ),
    ] = None,
    budget: BudgetOption = None,
    concurrency: ConcurrencyOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it may take; play and write nothing.")
    ] = False,
    as_json: AsJson = False,
    db: DatabaseUrl = None,
) -> None:
    """Rate an agent by a reference pool.

    The agent plays the same schedule, from the same seeds, as whoever is placed against this pool:
    its agents in turn, in every place. The pool's mean is 25; what was placed moves neither the
    pool nor another placement. The same command resumes where it stopped.

    Exit code 0 when all its games are played, 1 when some are open, 130 when interrupted."""
    from arena import compare
    from arena.cli.compare_play import ComparisonPlay, play_comparison

    question = compare.PlacingQuestion(agent, against, games)
    play_comparison(
        ComparisonPlay(
            command=_command(question),
            games=None,
            configure=lambda database: compare.configure_placing(database, question),
            answer=lambda database, config: compare.answer_placing(database, question, config),
            show=lambda found, review: _show(found, review, as_json=as_json),
            decided=lambda found: found.finished,
            open_="not all of its games are played",
        ),
        concurrency=concurrency,
        budget=budget,
        db=db,
        dry_run=dry_run,
    )


def _command(question: PlacingQuestion) -> tuple[str, ...]:
    typed = ["arena", "place", question.agent, "--against", question.pool]
    return (*typed, *([] if question.games is None else ["--games", str(question.games)]))


def _show(found: Placement, review: Review | None, *, as_json: bool) -> None:
    from arena.reports.voids import shares

    if as_json:
        print_json(_plain(found, review))
        for note in found.notes:
            tell(note)
        return
    out = console()
    void = f", {found.void:,} of them void" if found.void else ""
    lines = [
        f"{found.agent} against {found.pool} in {found.environment} with "
        f"{count(found.players, 'player')}",
        f"schedule: seed {found.seed}, {count(found.scheduled, 'game')}, the same for whoever is "
        "placed against this pool",
        "",
        _sentence(found),
        f"{count(found.settled, 'game')} played{void}, {count(found.games, 'game')} rated, "
        f"{money(found.dollars)}",
        *([f"void, every attempt counted: {shares(found.voids)}"] if found.voids else []),
        "",
    ]
    for line in lines:
        print_line(safe(line), out)
    _table(found)
    tell(
        f"25 is the mean of the pool's {count(len(found.members), 'agent')}, whose ratings are of "
        f"the pool's own {count(found.pool_games, 'game')}: no placement moves them"
    )
    for note in found.notes:
        tell(note)


def _sentence(found: Placement) -> str:
    rated = found.found
    if rated is None:
        return f"{found.agent} has no rated game yet."
    best, worst = found.best_rank, found.worst_rank
    rank = f"rank {best}" if best == worst else f"between ranks {best} and {worst}"
    return (
        f"rating of {found.agent}: {rated.rating:.2f}, 95 % interval {rated.low:.2f} to "
        f"{rated.high:.2f}, {rank} of {len(found.members) + 1}"
    )


def _table(found: Placement) -> None:
    rows: list[tuple[Placed, str]] = [(member, "") for member in found.members]
    if found.found is not None:
        rows.append((found.found, "placed"))
    rows.sort(key=lambda row: -row[0].rating)
    print_table(
        [
            Column("agent", shrink=True, style="bold"),
            Column("rating", "right"),
            Column("95 %", "right", style="dim"),
            Column(""),
        ],
        [
            [row.name, f"{row.rating:.2f}", f"{row.low:.1f} to {row.high:.1f}", mark]
            for row, mark in rows
        ],
    )


def _plain(found: Placement, review: Review | None) -> dict[str, Any]:
    """The placement as JSON has it."""
    from arena.forecast.review import plain_review
    from arena.reports.voids import counted

    def rating(row: Placed) -> dict[str, Any]:
        return asdict(row) | {"low": row.low, "high": row.high}

    return asdict(replace(found, voids={})) | {
        "estimate": None if review is None else plain_review(review),
        "finished": found.finished,
        "voids": counted(found.voids),
        "members": [rating(member) for member in found.members],
        "found": None if found.found is None else rating(found.found),
    }

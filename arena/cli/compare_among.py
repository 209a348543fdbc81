"""`arena compare --among`: which of several agents are better than which, in one table."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import typer

from arena.cli.output import (
    Column,
    advise,
    console,
    count,
    money,
    print_json,
    print_table,
    safe,
    tell,
)

if TYPE_CHECKING:
    from arena.compare import Among, AmongQuestion
    from arena.compare.among import PairFound


def compare_among(
    question: AmongQuestion,
    among: str,
    *,
    concurrency: int | None,
    budget: float | None,
    db: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Play the pairs until each is decided, the budget is spent or --games are played, and print
    what is known. Exits with 1 while a pair is open."""
    from arena import compare
    from arena.cli.run_to_end import Wish, play_out, report, show_estimate
    from arena.cli.sessions import existing
    from arena.cli.signals import stoppable
    from arena.orchestrator.schedule import games_done

    with existing(db) as database:
        config = compare.configure_among(database, question)
        wish = Wish(_command(question, among), database, None, concurrency, budget, db)
        if dry_run:
            show_estimate(config, replace(wish, games=question.games))
            return
        with stoppable(f"to go on: {wish.again()}") as interrupts:
            left = None if question.games is None else question.games - games_done(database, config)
            summary = None
            if left is None or left > 0:
                summary = play_out(config, wish, interrupts, games=left, uncapped=False)
            found = compare.answer_among(database, config)
            _show(found, as_json=as_json)
            if summary is not None:
                report(summary, wish)
    if found.decided == len(found.pairs):
        return
    if summary is None or not summary.stopped:
        advise(
            "not every pair is decided" + ("; play on with more --games" if question.games else "")
        )
    raise typer.Exit(1)


def _command(question: AmongQuestion, among: str) -> tuple[str, ...]:
    typed = ["arena", "compare", "--among", among]
    for option in ("environment", "players", "games", "name"):
        if (value := getattr(question, option)) is not None:
            typed += [f"--{option}", str(value)]
    if question.alpha != 0.05:
        typed += ["--alpha", f"{question.alpha:g}"]
    if question.seed:
        typed += ["--seed", str(question.seed)]
    return (*typed, *(["--again"] if question.again else []))


def _show(found: Among, *, as_json: bool) -> None:
    from arena.reports.voids import counted, shares

    if as_json:
        data = asdict(replace(found, voids={})) | {
            "decided": found.decided,
            "voids": counted(found.voids),
            "pairs": [_plain(pair) for pair in found.pairs],
        }
        print_json(data)
        for note in found.notes:
            tell(note)
        return
    pairs = len(found.pairs)
    out = console()
    for line in (
        f"{len(found.agents)} agents in {found.environment} with {count(found.players, 'player')}, "
        f"{count(pairs, 'pair')}",
        "tests by betting (evalue) of 50 %, e-BH over all pairs: of those found different at most "
        f"{100 * found.alpha:.4g} % are not, on average, however often one looks",
        "",
        f"{found.decided:,} of {count(pairs, 'pair')} decided",
    ):
        out.print(safe(line), soft_wrap=True)
    print_table(
        [
            Column("A", shrink=True, style="bold"),
            Column("B", shrink=True, style="bold"),
            Column("score of A", "right"),
            Column("interval", "right", style="dim"),
            Column("games", "right"),
            Column("e-value", "right"),
            Column("void", "right"),
            Column("decision"),
        ],
        [_row(pair) for pair in found.pairs],
    )
    spent = f", {money(found.dollars)}"
    void = f", {found.void:,} of them void" if found.void else ""
    out.print(safe(f"{count(found.settled, 'game')} played{void}{spent}"), soft_wrap=True)
    if found.voids:
        said = f"void, every attempt counted: {shares(found.voids)}"
        out.print(safe(said), soft_wrap=True)
    for note in found.notes:
        tell(note)


def _row(pair: PairFound) -> list[str]:
    return [
        pair.a,
        pair.b,
        "" if pair.score is None else f"{100 * pair.score:.1f} %",
        f"{100 * pair.low:.0f} to {100 * pair.high:.0f} %",
        f"{pair.games:,}",
        f"{pair.e_value:.3g}",
        f"{pair.void:,}" if pair.void else "",
        _decision(pair),
    ]


def _decision(pair: PairFound) -> str:
    if not pair.favours:
        return "open"
    better = pair.a if pair.favours > 0 else pair.b
    doubt = f"; not robust to {count(pair.void, 'void game')}" if pair.robust is False else ""
    return f"{better} is better{doubt}"


def _plain(pair: PairFound) -> dict[str, Any]:
    """A pair as JSON has it: an e-value that is no number there is null."""
    e_value = pair.e_value if math.isfinite(pair.e_value) else None
    return asdict(pair) | {"e_value": e_value}

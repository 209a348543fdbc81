"""`arena compare --among`: which of several agents are better than which, in one table."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from arena.cli.compare_play import ComparisonPlay, play_comparison
from arena.cli.options import typed_settings
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
from arena.core import UsageError

if TYPE_CHECKING:
    from arena.compare import Among, AmongQuestion
    from arena.compare.among import PairFound
    from arena.forecast.review import Review


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

    play_comparison(
        ComparisonPlay(
            command=_command(question, among),
            games=question.games,
            configure=lambda database: compare.configure_among(database, question),
            answer=compare.answer_among,
            show=lambda found, review: _show(found, review, as_json=as_json),
            decided=lambda found: found.decided == len(found.pairs),
            open_="not every pair is decided",
        ),
        concurrency=concurrency,
        budget=budget,
        db=db,
        dry_run=dry_run,
    )


def names_among(among: str) -> tuple[str, ...]:
    """The agents of `A,B,C`. Raises UsageError for a name that is empty."""
    names = tuple(name.strip() for name in among.split(","))
    if not all(names):
        raise UsageError(
            f"--among {among!r} has an empty name: expected names or numbers with a comma between "
            "them, such as --among A,B,C"
        )
    return names


def _command(question: AmongQuestion, among: str) -> tuple[str, ...]:
    typed = ["arena", "compare", "--among", among]
    for option in ("environment", "players", "games", "name"):
        if (value := getattr(question, option)) is not None:
            typed += [f"--{option}", str(value)]
    if question.alpha != 0.05:
        typed += ["--alpha", f"{question.alpha:g}"]
    if question.seed:
        typed += ["--seed", str(question.seed)]
    if question.again:
        typed.append("--again")
    return (*typed, *typed_settings(question.settings))


def _show(found: Among, review: Review | None, *, as_json: bool) -> None:
    from arena.forecast.review import plain_review
    from arena.reports.voids import counted, shares

    if as_json:
        data = asdict(replace(found, voids={})) | {
            "decided": found.decided,
            "voids": counted(found.voids),
            "pairs": [_plain(pair) for pair in found.pairs],
            "estimate": None if review is None else plain_review(review),
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
        print_line(safe(line), out)
    print_table(
        [
            Column("A", shrink=True, style="bold", order=0, least=20),
            Column("B", shrink=True, style="bold", order=0, least=20),
            Column("score of A", "right"),
            Column("interval", "right", style="dim"),
            Column("games", "right"),
            Column("e-value", "right"),
            Column("void", "right"),
            Column("decision", shrink=True, order=1, least=24),
        ],
        [_row(pair) for pair in found.pairs],
    )
    spent = f", {money(found.dollars)}"
    void = f", {found.void:,} of them void" if found.void else ""
    print_line(safe(f"{count(found.settled, 'game')} played{void}{spent}"), out)
    if found.voids:
        said = f"void, every attempt counted: {shares(found.voids)}"
        print_line(safe(said), out)
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
    better = "A" if pair.favours > 0 else "B"
    doubt = f"; not robust to {count(pair.void, 'void game')}" if pair.robust is False else ""
    return f"{better} is better{doubt}"


def _plain(pair: PairFound) -> dict[str, Any]:
    """A pair as JSON has it: an e-value that is no number there is null."""
    e_value = pair.e_value if math.isfinite(pair.e_value) else None
    return asdict(pair) | {"e_value": e_value}

"""`arena compare`: is one agent better than another? Plays exactly the games that this takes."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.compare_effect import MeasuredSuggestion
from arena.cli.compare_figures import figures
from arena.cli.options import (
    AsJson,
    BudgetOption,
    ConcurrencyOption,
    CovariateOption,
    DatabaseUrl,
    PlayersOption,
    SetOption,
    SinceOption,
    TournamentOption,
    UntilOption,
    WhereOption,
    typed_settings,
)
from arena.cli.output import console, count, print_json, print_line, safe, tell
from arena.core import UsageError

if TYPE_CHECKING:
    from arena.compare import Comparison, Question
    from arena.forecast.review import Review
    from db.selection import Selection

A = Annotated[str | None, typer.Argument(metavar="A", help="An agent, by its name or number.")]
B = Annotated[str | None, typer.Argument(metavar="B", help="The agent to compare it with.")]
SeatingOption = Annotated[
    str | None,
    typer.Option(
        metavar="S",
        help="mirrored, opposite or clones; by default what needs the fewest games.",
    ),
]


def compare(
    a: A = None,
    b: B = None,
    among: Annotated[
        str | None,
        typer.Option(
            "--among",
            metavar="A,B,C",
            help="Compare every pair of these, and bound the share of false findings.",
        ),
    ] = None,
    environment: WhereOption = None,
    players: PlayersOption = None,
    seating: SeatingOption = None,
    test: Annotated[
        str | None,
        typer.Option(
            metavar="T",
            help="gsprt, evalue or fixed; by default gsprt, for games already played evalue.",
        ),
    ] = None,
    h0: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="A's score if it is no better; 0.5 by default."),
    ] = None,
    h1: Annotated[
        float | None,
        typer.Option(metavar="SHARE", help="A's score if it is better; 0.55 by default."),
    ] = None,
    alpha: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="Most errors where --h0 is true; 0.05 by default."),
    ] = None,
    beta: Annotated[
        float | None,
        typer.Option(metavar="RATE", help="Most errors where --h1 is true; 0.05 by default."),
    ] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(metavar="AGENT", help="Fills seats that the two leave free; once for each."),
    ] = None,
    games: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="MOST", help="Most games in all; with --test fixed, exactly this number."
        ),
    ] = None,
    budget: BudgetOption = None,
    concurrency: ConcurrencyOption = None,
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="The games' seeds follow from it.")
    ] = 0,
    played: Annotated[
        bool, typer.Option("--played", help="Ask the games on record; play nothing.")
    ] = False,
    tournament: TournamentOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The tournament's; by default the question itself."),
    ] = None,
    covariate: CovariateOption = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Ask anew although a comparison of these is on record."),
    ] = False,
    for_suggestion: Annotated[
        int | None,
        typer.Option("--for-suggestion", metavar="ID", help="Write the effect beside it."),
    ] = None,
    settings: SetOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it may take; play and write nothing.")
    ] = False,
    as_json: AsJson = False,
    db: DatabaseUrl = None,
) -> None:
    """Find out whether A is better than B.

    Plays games in pairs, on one seed with the two swapped, until the test decides with its stated
    error rates: exactly the games needed, however many are played at once. The same command goes
    on where it stopped. gsprt decides between two scores of A, --h0 and --h1; evalue may be
    watched and stopped whenever one likes; fixed looks once, at --games. Every comparison of the
    same two has an error rate of its own: a new one beside those on record needs --again.

    --for-suggestion writes the score, its interval and the conclusion beside a suggestion that
    `arena insights --save` kept: A is the agent with the change, B the one without.

    --among plays all pairs by turns, each until it is decided: on average at most --alpha of the
    pairs found different are not. It may be watched and stopped whenever one likes.

    Exit code 0 when the test, or that of every pair, came to its end, 1 when it is undecided, 130
    when interrupted."""
    from arena.compare import AmongQuestion, Question
    from db.selection import Selection

    selection = Selection(tournament=tournament, since=since, until=until)
    if among is not None:
        from arena.cli.compare_among import compare_among, names_among

        unfit = {
            "A and B": a, "--seating": seating, "--h0": h0, "--h1": h1, "--beta": beta,
            "--field": field, "--played": played or None, "--tournament": tournament,
            "--since": since, "--until": until, "--covariate": covariate,
            "--test": None if test == "evalue" else test, "--for-suggestion": for_suggestion,
        }  # fmt: skip
        if given := [option for option, value in unfit.items() if value is not None]:
            raise UsageError(
                f"--among plays every pair of its agents by --test evalue: leave out {given[0]}"
            )
        compare_among(
            AmongQuestion(
                agents=names_among(among),
                environment=environment,
                players=players,
                alpha=AmongQuestion(()).alpha if alpha is None else alpha,
                games=games,
                seed=seed,
                name=name,
                again=again,
                settings=tuple(settings or ()),
            ),
            among,
            concurrency=concurrency,
            budget=budget,
            db=db,
            dry_run=dry_run,
            as_json=as_json,
        )
        return
    if a is None or b is None:
        raise UsageError(
            "which agents? Say `arena compare A B`, or --among A,B,C for every pair of several; "
            "`arena agents list` has them"
        )
    question = Question(
        a=a,
        b=b,
        environment=environment,
        players=players,
        seating=seating,
        test=test,
        h0=h0,
        h1=h1,
        alpha=alpha,
        beta=beta,
        field=tuple(field or ()),
        games=games,
        seed=seed,
        name=name,
        again=again,
        settings=tuple(settings or ()),
    )
    if played:
        if dry_run or again or covariate or settings:
            raise UsageError(
                "--played plays nothing: leave out --dry-run, --again, --covariate and --set"
            )
        where = "".join(f", {n} {v}" for n, v in asdict(selection).items() if v)
        effect = MeasuredSuggestion(for_suggestion, db, where)
        _show_played(question, selection, effect, budget=budget, db=db, as_json=as_json)
    elif selection != Selection():
        raise UsageError("--tournament, --since and --until choose among games on record: --played")
    else:
        _play(
            question,
            MeasuredSuggestion(for_suggestion, db),
            covariate=covariate,
            concurrency=concurrency,
            budget=budget,
            db=db,
            dry_run=dry_run,
            as_json=as_json,
        )


def _show_played(
    question: Question,
    selection: Selection,
    effect: MeasuredSuggestion,
    *,
    budget: float | None,
    db: str | None,
    as_json: bool,
) -> None:
    from arena import compare

    if budget is not None:
        raise UsageError("--played spends nothing: --budget is for games to be played")
    effect.check()
    found = compare.played(db or None, question, selection)
    _show(found, None, as_json=as_json)
    effect.record(found)
    if not found.decided:
        raise typer.Exit(1)


def _play(
    question: Question,
    effect: MeasuredSuggestion,
    *,
    covariate: str | None,
    concurrency: int | None,
    budget: float | None,
    db: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    from arena import compare
    from arena.cli.compare_play import ComparisonPlay, play_comparison
    from arena.registry import load

    if covariate is not None:
        load("covariates", covariate)  # told before anything is played
    effect.check()
    if dry_run and effect.id is not None:
        tell(f"a dry run writes nothing beside suggestion {effect.id}")

    def show(found: Comparison, review: Review | None) -> None:
        _show(found, review, as_json=as_json)
        effect.record(found)

    play_comparison(
        ComparisonPlay(
            command=_command(question, covariate, effect.id),
            games=question.games,
            configure=lambda database: compare.configure(database, question),
            answer=lambda database, config: compare.answer(database, config, covariate),
            show=show,
            decided=lambda found: found.decided,
            open_="not decided",
        ),
        concurrency=concurrency,
        budget=budget,
        db=db,
        dry_run=dry_run,
    )


def _command(
    question: Question, covariate: str | None = None, suggestion: int | None = None
) -> tuple[str, ...]:
    """What was typed, without the options that a `Wish` knows."""
    typed = ["arena", "compare", question.a, question.b]
    for option in (
        "environment", "players", "seating", "test", "h0", "h1", "alpha", "beta", "games", "name",
    ):  # fmt: skip
        value = getattr(question, option)
        if value is not None:
            typed += [f"--{option}", f"{value:g}" if isinstance(value, float) else str(value)]
    if covariate is not None:
        typed += ["--covariate", covariate]
    if suggestion is not None:
        typed += ["--for-suggestion", str(suggestion)]
    if question.again:
        typed.append("--again")
    for agent in question.field:
        typed += ["--field", agent]
    if question.seed:
        typed += ["--seed", str(question.seed)]
    return (*typed, *typed_settings(question.settings))


def _show(found: Comparison, review: Review | None, *, as_json: bool) -> None:
    from arena.compare.answer import ASKS, errors
    from arena.compare.looks import said

    if as_json:
        print_json(_plain(found, review))
        return
    out = console()
    where = f"{found.environment} with {count(found.players, 'player')}"
    lines = [
        f"{found.a} and {found.b} in {where}",
        ASKS.get(found.seating, "single games, as they were seated"),
        errors(found.options),
        "",
        found.sentence,
        *([said(found.a, found.b, found.looks, found.any_error)] if found.looks > 1 else []),
        *figures(found),
    ]
    for line in lines:
        print_line(safe(line), out)
    for note in found.notes:
        tell(note)


def _plain(found: Comparison, review: Review | None) -> dict[str, Any]:
    """The comparison as JSON has it: what is no number there is null; `estimate` is how what was
    played now compares with its estimate."""
    from arena.forecast.review import plain_review
    from arena.reports.voids import counted

    data = asdict(replace(found, voids={})) | {"voids": counted(found.voids)}
    data["estimate"] = None if review is None else plain_review(review)
    if found.verdict is not None:
        data["verdict"] |= {
            "bounds": [b if math.isfinite(b) else None for b in found.verdict.bounds],
        }
    return data

"""`arena plan`: how many games and dollars it takes to tell agents apart."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import (
    AsJson,
    DatabaseUrl,
    PlayersOption,
    SetOption,
    SinceOption,
    TournamentOption,
    UntilOption,
    WhereOption,
    dollars,
)
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
    from arena.config import TournamentConfig
    from arena.forecast import Outlook, PlanScope, Way


def plan(
    subjects: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[A B | CONFIG]",
            help="Two agents with games on record, or a tournament's file before it is played.",
            show_default=False,
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(min=1, metavar="K", help="Until the best K are told apart from the rest."),
    ] = None,
    tournament: TournamentOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    environment: WhereOption = None,
    players: PlayersOption = None,
    seating: Annotated[
        str | None,
        typer.Option(metavar="S", help="Only this one of random, mirrored, opposite and clones."),
    ] = None,
    effect: Annotated[
        float,
        typer.Option(metavar="SHARE", help="With a file: the edge to see, as a score."),
    ] = 0.55,
    budget: Annotated[
        float | None,
        typer.Option(metavar="USD", callback=dollars, help="Say how many games USD dollars buy."),
    ] = None,
    settings: SetOption = None,
    as_json: AsJson = False,
    db: DatabaseUrl = None,
) -> None:
    """Say what it takes to tell agents apart.

    From the games on record, for two agents or with --top: how many further games until the 95 %
    interval of the difference leaves 0, under each seating, as a median and an interval. From a
    tournament's file: how many games an edge of --effect takes. Nothing is played or written."""
    from arena.cli.tournament_files import read
    from arena.core import UsageError

    # Before the rest is imported: what is wrong with it is told at once.
    only = subjects[0] if subjects and len(subjects) == 1 else None
    if only is not None and any((environment, players, tournament, since, until)):
        raise UsageError(
            f"{only} says itself what is played: --environment, --players, --tournament, --since "
            "and --until are for games on record. Two agents are compared by naming both"
        )
    if only is None and settings:
        raise UsageError("--set is for a tournament's file: `arena plan CONFIG --set games=50`")
    config = None if only is None else read(Path(only), settings=settings, db=db)
    from arena import forecast as planning
    from db.selection import Selection

    found = _ask(
        subjects or [],
        config,
        top=top,
        scope=planning.PlanScope(
            environment,
            players,
            Selection(tournament=tournament, since=since, until=until),
            seating,
        ),
        effect=effect,
        db=db or None,
    )
    if as_json:
        print_json(_plain(found))
    else:
        _show(found, budget)


def _ask(
    subjects: list[str],
    config: TournamentConfig | None,
    *,
    top: int | None,
    scope: PlanScope,
    effect: float,
    db: str | None,
) -> Outlook:
    from arena import forecast as planning
    from arena.core import UsageError

    match subjects:
        case [_] if config is not None:
            return planning.plan_config(
                config, url=db, effect=effect, top=top, seating=scope.seating
            )
        case [a, b] if top is None:
            return planning.plan_two(db, a, b, scope)
        case [] if top is not None:
            return planning.plan_top(db, top, scope)
        case _:
            raise UsageError(
                "expected two agents (`arena plan A B`), a number of the best (`arena plan --top "
                "K`), or a tournament's file (`arena plan CONFIG`)"
            )


def _show(found: Outlook, budget: float | None) -> None:
    out = console()
    of = f"{count(found.games, 'game')} on record" if found.games else "before the first game"
    print_line(
        safe(f"{found.subject}: {found.environment}, {count(found.players, 'player')}, {of}"), out
    )
    if found.known is not None:
        mean, low, high = found.known
        print_line(
            safe(f"difference of their ratings: {mean:+.2f}, 95 % {low:+.2f} to {high:+.2f}"), out
        )
    if found.separated:
        print_line(
            "They are told apart already, by one look at a 95 % interval. To look again and again "
            "is no such look: `arena compare` is the test that may stop when it knows.",
            out,
        )
    else:
        out.print()
        _table(found)
        if all(math.isinf(way.forecast.games) for way in found.ways):
            print_line("\nThey will never be told apart with these settings.", out)
    if budget is not None:
        for way in found.ways:
            print_line(safe(_reach(way, budget)), out)
    for note in found.notes:
        tell(note)


def _table(found: Outlook) -> None:
    further = "further games" if found.games else "games"
    print_table(
        [
            Column("seating"),
            Column(further, "right", order=0),
            Column("80 %", "right", style="dim"),
            Column("a game", "right"),
            Column("dollars", "right"),
            Column("80 %", "right", style="dim"),
        ],
        [
            [
                way.seating,
                _games(way.forecast.games),
                f"{_games(way.forecast.low)} to {_games(way.forecast.high)}",
                money(way.dollars_per_game),
                _cost(way.forecast.dollars),
                f"{_cost(way.forecast.dollars_low)} to {_cost(way.forecast.dollars_high)}",
            ]
            for way in found.ways
        ],
    )
    tell(
        "told apart after this many games as likely as not; with 10 % probability after the first, "
        "with 90 % after the last number beside it"
    )


def _games(number: float) -> str:
    return "never" if math.isinf(number) else f"{number:,.0f}"


def _cost(dollars: float | None) -> str:
    return "endless" if dollars is not None and math.isinf(dollars) else money(dollars)


def _reach(way: Way, budget: float) -> str:
    """How far a budget goes under one seating."""
    said = f"{way.seating}: {money(budget)}"
    each = way.dollars_per_game
    if way.forecast.separated:
        return f"{said} need not be spent"
    if each is None:
        return f"{said}: how far it goes is unknown, because a price is"
    if each == 0:
        return f"{said} is never reached: these games cost nothing"
    games = math.floor(budget / each)
    forecast = way.forecast
    for least, words in (
        (forecast.high, "enough, with a probability of 90 % or more"),
        (forecast.games, "more likely enough than not"),
        (forecast.low, "more likely too few than not"),
    ):
        if games >= least:
            return f"{said} buys about {count(games, 'game')}: {words}"
    return f"{said} buys about {count(games, 'game')}: too few, with a probability of 90 % or more"


def _plain(found: Outlook) -> dict[str, Any]:
    """The outlook as JSON has it: what is endless there is null."""

    def finite(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: finite(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [finite(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return {**finite(asdict(found)), "separated": found.separated}

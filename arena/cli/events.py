"""`arena events`: what happened in a game, as typed facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import (
    AgainstOption,
    AgentOption,
    AsJson,
    DatabaseUrl,
    EnvironmentOption,
    SinceOption,
    TagOption,
    TournamentOption,
    UntilOption,
)
from arena.cli.output import (
    Column,
    complain,
    count,
    percent,
    print_json,
    print_table,
    tell,
)
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from db.writer.events import EventRow

REBUILD = "rebuild"
TYPES = "types"
_PLAIN = ("message", "change")  # what is left out unless it is asked for
CONCURRENCY = 10  # calls of a reader


def events(
    game: Annotated[
        str,
        typer.Argument(
            metavar="GAME|rebuild|types", help="The game's number, or `rebuild` for many."
        ),
    ],
    kind: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND", help="Of this kind; several times, of any of them."),
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Also every message and change of the state; of a rebuild, also the games that "
            "have their events.",
        ),
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="With rebuild: compare with what is stored, change nothing."),
    ] = False,
    chances: Annotated[
        bool,
        typer.Option(
            "--chances",
            help="Instead who was ahead: by exact play at random, and by the games on record.",
        ),
    ] = False,
    reader: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="With rebuild: who reads what speeches claim: rules, model, or a plug-in; without "
            "it, whoever did before, from the record.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The model of the catalogue that the reader asks."),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option(min=0.0, metavar="USD", help="Most dollars that the reader may spend."),
    ] = None,
    concurrency: Annotated[
        int, typer.Option(min=1, metavar="N", help="Calls of the reader in flight at once.")
    ] = CONCURRENCY,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only say what the reader would ask, and its price."),
    ] = False,
    tournament: TournamentOption = None,
    environment: EnvironmentOption = None,
    agent: AgentOption = None,
    against: AgainstOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    tag: TagOption = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Read what happened in a game, as typed facts.

    Votes, bids, offers, moves, and who was shown what. `types` lists the kinds of events there
    are, with --json each with the schema of its data.

    `rebuild` tells the events of finished games again, by playing their records, where they are
    missing or of an earlier release; the options say of which games. With --reader, what speeches
    claim is read anew, and a model's answers are on record: no question is asked twice. It may be
    interrupted, and continues where it was. Exit code 1 when a game cannot be told, or differs."""
    from arena.cli.events_rebuild import choice_of, price, rebuild
    from arena.core import UsageError
    from db.selection import Selection

    asked: dict[str, Any] = {
        "tournament": tournament, "environment": environment, "agent": agent,
        "against": against, "since": since, "until": until, "tag": tag,
    }  # fmt: skip
    if game == REBUILD:
        if kind or chances:
            name = "--kind vote" if kind else "--chances"
            raise UsageError(f"{name.split()[0]} goes with a game: `arena events GAME {name}`")
        choice = choice_of(reader, model, budget, concurrency, check=check, dry_run=dry_run)
        if dry_run:
            price(Selection(**asked), db, choice, everything=everything, as_json=as_json)
        else:
            rebuild(
                Selection(**asked), db, choice, check=check, everything=everything, as_json=as_json
            )
        return
    asked |= {"check": check, "dry-run": dry_run, "reader": reader, "model": model}
    asked |= {"budget": budget is not None, "concurrency": concurrency != CONCURRENCY}
    wrong = [f"--{name}" for name, value in asked.items() if value]
    if wrong:
        raise UsageError(f"{wrong[0]} goes with rebuild: `arena events rebuild {wrong[0]} ...`")
    if game == TYPES:
        if kind or chances or everything:
            raise UsageError("`arena events types` goes without --kind, --chances and --all")
        _types(db, as_json=as_json)
        return
    if not game.isdecimal():
        raise UsageError(f"{game!r} is no game: expected its number, `rebuild` or `types`")
    if chances:
        if kind or everything:
            raise UsageError("--chances goes without --kind and --all")
        _chances(int(game), db, as_json=as_json)
        return
    _show(int(game), kind, db, everything=everything, as_json=as_json)


def _types(db: str | None, *, as_json: bool) -> None:
    from db.queries.events import event_types

    with reading(db) as session:
        rows = [(row.name, row.description, row.data_schema) for row in event_types(session)]
    if as_json:
        fields = ("name", "description", "schema")
        print_json({"types": [dict(zip(fields, row, strict=True)) for row in rows]})
        return
    print_table([Column("kind"), Column("what it says", shrink=True)], [[*row[:2]] for row in rows])


def _show(
    game: int, kind: list[str] | None, db: str | None, *, everything: bool, as_json: bool
) -> None:
    from arena.core import UsageError
    from arena.registry import unknown
    from db.queries.events import event_types, events_state, plain
    from db.queries.events import events as rows_of

    with reading(db) as session:
        state = events_state(session, game)
        if state is None:
            raise UsageError(f"there is no game {game}; `arena games` lists them")
        known = [row.name for row in event_types(session)]
        rows = rows_of(session, game)
    for name in kind or ():
        if name not in known:
            raise UsageError(unknown("kind of event", name, known))
    if kind:
        shown = [row for row in rows if row.kind in kind]
    else:
        shown = [row for row in rows if everything or row.kind not in _PLAIN]
    if as_json:
        print_json(
            {
                "game_id": game,
                "events_version": state.version,
                "error": state.error,
                "events": [plain(row) for row in shown],
            }
        )
    elif shown:
        print_table(_COLUMNS, [_cells(row) for row in shown])
        if not kind and len(shown) < len(rows):
            left = len(rows) - len(shown)
            tell(f"{count(left, 'message')} and changes of the state left out; --all shows them")
    if state.error is not None:
        complain(f"game {game} has no events: {state.error.strip().splitlines()[-1]}")
        raise typer.Exit(1)
    if state.version is None:
        complain(f"the events of game {game} were never told: type `arena events rebuild`")
        raise typer.Exit(1)


def _chances(game: int, db: str | None, *, as_json: bool) -> None:
    from dataclasses import asdict

    from arena.reports.chances import BLEND, chances, left_out

    with reading(db) as session:
        found = chances(session, game)
        lacking = left_out(session, game)
    if lacking:
        complain(
            "games of an earlier release are left out, which were never asked where they stood: "
            "type `arena events rebuild`"
        )
    if as_json:
        print_json({"game_id": game, "chances": [asdict(each) for each in found]})
        return
    print_table(
        [
            Column("turn", "right"),
            Column("position", shrink=True, order=0),
            Column("at random", "right"),
            Column("games", "right"),
            Column("won", "right"),
            Column("chance", "right", order=1),
            Column("95 %"),
            Column(""),
        ],
        [
            [
                "" if each.turn is None else str(each.turn),
                each.name,
                percent(each.random),
                str(each.games),
                str(each.won),
                percent(each.chance),
                f"{percent(each.low)} to {percent(each.high)}",
                "turned" if each.turned else "",
            ]
            for each in found
        ],
    )
    if found:
        tell(
            f"the chance of {found[0].team}: exact for play at random, which counts as {BLEND} "
            "games, and the other games on record that stood alike; talk moves nothing in it: "
            "`arena branch` tells what a speech was worth"
        )


_COLUMNS = [
    Column("turn", "right", order=0),
    Column("day", "right", order=5),
    Column("phase", order=4),
    Column("event", order=0),
    Column("by", "right", order=1),
    Column("to", "right", order=2),
    Column("seen by", order=6),
    Column("", shrink=True, order=3, least=16),
]


def _cells(row: EventRow) -> list[str]:
    from arena.core import audience_players

    seen = "?" if row.audience is None else " ".join(map(str, audience_players(row.audience)))
    return [
        *("" if each is None else str(each) for each in (row.turn, row.day, row.phase)),
        row.kind,
        *("" if each is None else str(each) for each in (row.source, row.target)),
        seen or "nobody",
        ", ".join(f"{name} {value}" for name, value in row.data.items()),
    ]

"""`arena events`: what happened in a game, as typed facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import (
    AgentOption,
    AsJson,
    DatabaseUrl,
    EnvironmentOption,
    SinceOption,
    TournamentOption,
    UntilOption,
)
from arena.cli.output import (
    Column,
    complain,
    console,
    count,
    percent,
    print_json,
    print_table,
    safe,
    tell,
)
from arena.cli.sessions import existing, reading

if TYPE_CHECKING:
    from arena.replay.events import ToldGame
    from db.selection import Selection
    from db.writer.events import EventRow

REBUILD = "rebuild"
_PLAIN = ("message", "change")  # what is left out unless it is asked for
_EVERY = 100  # games between two lines of progress


def events(
    game: Annotated[
        str,
        typer.Argument(metavar="GAME|rebuild", help="The game's number, or `rebuild` for many."),
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
    tournament: TournamentOption = None,
    environment: EnvironmentOption = None,
    agent: AgentOption = None,
    since: SinceOption = None,
    until: UntilOption = None,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Read what happened in a game, as typed facts.

    Votes, bids, offers, moves, and who was shown what.

    `rebuild` tells the events of finished games again, by playing their records, where they are
    missing or of an earlier release; the options say of which games. It may be interrupted, and
    continues where it was. Exit code 1 when a game cannot be told, or differs."""
    from arena.core import UsageError
    from db.selection import Selection

    asked: dict[str, Any] = {
        "tournament": tournament, "environment": environment, "agent": agent, "since": since,
        "until": until,
    }  # fmt: skip
    if game == REBUILD:
        if kind or chances:
            name = "--kind vote" if kind else "--chances"
            raise UsageError(f"{name.split()[0]} goes with a game: `arena events GAME {name}`")
        _rebuild(Selection(**asked), db, check=check, everything=everything, as_json=as_json)
        return
    wrong = [f"--{name}" for name, value in asked.items() if value] + ["--check"] * check
    if wrong:
        raise UsageError(f"{wrong[0]} goes with rebuild: `arena events rebuild {wrong[0]} ...`")
    if not game.isdecimal():
        raise UsageError(f"{game!r} is no game: expected its number, or `rebuild`")
    if chances:
        if kind or everything:
            raise UsageError("--chances goes without --kind and --all")
        _chances(int(game), db, as_json=as_json)
        return
    _show(int(game), kind, db, everything=everything, as_json=as_json)


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
                "version": state.version,
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

    from arena.reports.chances import BLEND, MOST_GAMES, chances

    with reading(db) as session:
        found = chances(session, game)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    print_table(
        [
            Column("turn", "right"),
            Column("position", shrink=True),
            Column("at random", "right"),
            Column("games", "right"),
            Column("won", "right"),
            Column("chance", "right"),
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
            f"games, and the latest {MOST_GAMES:,} games on record that stood alike; talk moves "
            "nothing in it: `arena branch` tells what a speech was worth"
        )


_COLUMNS = [
    Column("turn", "right"),
    Column("day", "right"),
    Column("phase"),
    Column("event"),
    Column("by", "right"),
    Column("to", "right"),
    Column("seen by"),
    Column("", shrink=True),
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


def _rebuild(
    selection: Selection, db: str | None, *, check: bool, everything: bool, as_json: bool
) -> None:
    from dataclasses import asdict

    from arena.replay.events import rebuild_events

    games = total = 0
    wrong: list[ToldGame] = []
    with existing(db) as database:
        for left, found in rebuild_events(database, selection, check=check, everything=everything):
            games += 1
            total += found.events
            if found.error is not None or (check and not found.ok):
                wrong.append(found)
            if left and games % _EVERY == 0:
                tell(f"{games:,} of {count(games + left, 'game')}")
    if as_json:
        print_json(
            {
                "games": games,
                "events": total,
                "checked_only": check,
                "wrong": [asdict(found) for found in wrong],
            }
        )
    else:
        for found in wrong:
            said = found.difference or (found.error or "").strip().splitlines()[-1]
            console().print(safe(f"game {found.game_id}: {said}"), soft_wrap=True)
        console().print(_summary(games, total, len(wrong), check=check), soft_wrap=True)
    if wrong:
        complain(
            f"{count(len(wrong), 'game')} of {games:,} "
            + ("have other events than those stored" if check else "cannot be told")
        )
        raise typer.Exit(1)


def _summary(games: int, total: int, wrong: int, *, check: bool) -> str:
    what = f"{count(games, 'game')}, {count(total, 'event')}"
    if check:
        return f"{what}: " + ("what is stored is what the records tell" if not wrong else "differ")
    return f"{what} told" if games else "every finished game has its events"

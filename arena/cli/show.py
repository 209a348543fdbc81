"""`arena show`: the transcript of a game."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.options import AsJson, DatabaseUrl, GameNumber
from arena.cli.output import Column, moment, print_json, print_table
from arena.cli.sessions import reading

if TYPE_CHECKING:
    from db.queries.game_states import GameStateRow
    from db.queries.transcript import TurnRow


def show(
    game: GameNumber,
    calls: Annotated[
        bool, typer.Option("--calls", help="Also every call: messages, answer, tokens, errors.")
    ] = False,
    history: Annotated[
        bool,
        typer.Option("--history", help="Only what happened to the game: when, why, by whom."),
    ] = False,
    db: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Read a game, from the cast to the outcome.

    Nothing that a model wrote is obeyed: control characters and escapes are made visible, and
    every line of a player stands behind a bar."""
    from arena.core import UsageError
    from db.live import run_now
    from db.queries.game_states import game_states
    from db.queries.games import game as row_of
    from db.queries.games import shown_status, spent
    from db.queries.transcript import transcript

    with reading(db) as session:
        row = row_of(session, game)
        if row is None:
            raise UsageError(f"there is no game {game}; `arena games` lists them")
        states = game_states(session, game)
        if history and not as_json:
            print_table(*_history(states))
            return
        turns = transcript(session, game)
        row = replace(row, status=shown_status(row, run_now(session)))
        taken = spent(session, [game])[game]
    if as_json:
        print_json(
            asdict(row)
            | asdict(taken)
            | {"turns": [_turn_fields(turn, calls) for turn in turns]}
            | {"history": [asdict(state) for state in states]}
        )
        return
    from arena.cli.transcript import print_game
    from arena.cli.transcript_lines import transcript_console
    from arena.reports.game import game_report

    print_game(transcript_console(), game_report(row, turns, with_calls=calls))


def _history(states: Sequence[GameStateRow]) -> tuple[list[Column], list[list[str]]]:
    return [
        Column("when"),
        Column("from"),
        Column("to"),
        Column("why", shrink=True),
        Column("by"),
    ], [
        [
            moment(state.at),
            state.before or "",
            state.status,
            state.reason or "",
            state.actor or "",
        ]
        for state in states
    ]


def _turn_fields(turn: TurnRow, calls: bool) -> dict[str, Any]:
    fields = asdict(turn)
    if not calls:
        del fields["calls"]
    return fields

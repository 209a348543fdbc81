"""`arena show`: the transcript of a game."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.database import reading
from arena.cli.options import AsJson, Database, GameNumber
from arena.cli.output import console, count, print_json

if TYPE_CHECKING:
    from rich.console import Console

    from arena.cli.transcript import Call, Play
    from db.queries.games import GameRow
    from db.queries.transcript import CallRow, TurnRow


def show(
    game: GameNumber,
    calls: Annotated[
        bool, typer.Option("--calls", help="Also every call: messages, answer, tokens, errors.")
    ] = False,
    db: Database = None,
    as_json: AsJson = False,
) -> None:
    """Read a game, from the cast to the outcome.

    Nothing that a model wrote is obeyed: control characters and escapes are made visible, and
    every line of a player stands behind a bar."""
    from arena.cli.holders import run_now, shown_status
    from arena.core import UsageError
    from db.queries.games import game as row_of
    from db.queries.transcript import transcript

    with reading(db) as session:
        row = row_of(session, game)
        if row is None:
            raise UsageError(f"there is no game {game}; `arena games` lists them")
        turns = transcript(session, game)
        row = replace(row, status=shown_status(row, run_now(session)))
    if as_json:
        print_json(asdict(row) | {"turns": [_turn_fields(turn, calls) for turn in turns]})
        return
    from arena.cli.transcript import print_play

    print_play(transcript_console(), play_of(row, turns, calls))


def transcript_console() -> Console:
    """A transcript is wrapped also where it is piped: a pager that wraps would lose the bars."""
    out = console()
    return out if out.is_terminal else console(width=100)


def _turn_fields(turn: TurnRow, calls: bool) -> dict[str, Any]:
    fields = asdict(turn)
    if not calls:
        del fields["calls"]
    return fields


def play_of(row: GameRow, turns: Sequence[TurnRow] = (), with_calls: bool = False) -> Play:
    """What a transcript says about a game."""
    from arena.cli.transcript import Play, Seat
    from arena.reports.narration import Turn

    made = [call for turn in turns for call in turn.calls]
    costs = [call.cost for call in made if call.cost is not None]
    return Play(
        game=row.game_id,
        environment=row.environment,
        tournament=row.tournament,
        seed=row.seed,
        status=row.status,
        seats=[
            Seat(p.player_index, p.agent, p.role, p.team, p.rank, p.invalid_actions)
            for p in row.players
        ],
        turns=[
            Turn(
                turn.turn_number,
                turn.player_index,
                _text(turn.new),
                turn.action,
                turn.submitted,
                turn.invalid,
                turn.lapse,
            )
            for turn in turns
        ],
        times_ms=[turn.response_time_ms for turn in turns],
        winning_team=row.winning_team,
        termination=row.termination,
        reason=row.reason,
        void_cause=row.void_cause,
        error=row.error,
        started_at=row.started_at,
        finished_at=row.finished_at,
        number_of_calls=len(made),
        cost=math.fsum(costs) if costs else None,
        parent=None if row.parent_game_id is None else (row.parent_game_id, row.parent_turn or 0),
        marks=[_mark(turn) for turn in turns],
        calls=_calls(turns) if with_calls else (),
    )


def _mark(turn: TurnRow) -> str:
    """What is odd about a turn's calls."""
    from db.repository.calls import ORPHANED

    marks = []
    if any(call.cached for call in turn.calls):
        marks.append("from the cache")
    if lost := sum(call.error_class == ORPHANED for call in turn.calls):
        marks.append(f"{count(lost, 'call')} lost in flight")
    return " · ".join(marks)


def _calls(turns: Sequence[TurnRow]) -> list[list[Call]]:
    from arena.cli.transcript import Call

    said: set[tuple[int, str, str]] = set()
    return [
        [
            Call(
                model=call.model,
                call_number=call.call_number,
                attempt=call.attempt,
                messages=[_message(turn, message, said) for message in call.messages or ()],
                answer=call.text,
                finish_reason=call.finish_reason,
                prompt_tokens=call.prompt_tokens,
                response_tokens=call.completion_tokens,
                cost=call.cost,
                total_ms=call.total_ms,
                error=_error(call),
                charged=call.charged,
                cached=call.cached,
            )
            for call in turn.calls
        ]
        for turn in turns
    ]


def _message(turn: TurnRow, message: Any, said: set[tuple[int, str, str]]) -> tuple[str, str]:
    """A message's role and text; what this player was sent before is only named."""
    if not isinstance(message, dict):
        return "?", _text(message)
    role, content = str(message.get("role", "?")), _text(message.get("content"))
    size = f"{len(content):,} characters"
    if content == turn.observation and turn.new != turn.observation:
        return role, f"(all that player {turn.player_index} has seen, {size}; new:)\n{turn.new}"
    key = (turn.player_index, role, content)
    if key in said:
        return role, f"(as before, {size})"
    said.add(key)
    return role, content


def _error(call: CallRow) -> str | None:
    if call.error_class is None:
        return None
    status = "" if call.error_status is None else f" {call.error_status}"
    return f"{call.error_class}{status}: {call.error_message or ''}"


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)

"""A game, and each of its turns, as it is seen by who is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from starlette.responses import Response

from arena.core import UsageError
from arena.replay.effects import branched_turns
from arena.reports.chances import TurnChance, chances
from arena.reports.game import GameReport, game_report
from arena.viewer.branches_page import branches_page
from arena.viewer.game_page import game_page, part_of, parts
from arena.viewer.lanes import teams_of
from arena.viewer.notes import notes_of
from arena.viewer.seen import Eyes, SeenGame, calls_of, numbers_of, seen
from arena.viewer.visit import NotThere, Visit, number
from db import Session
from db.live import run_now
from db.queries.events import events, events_state
from db.queries.execution_logs import execution_logs
from db.queries.game_states import game_states
from db.queries.games import game, shown_status
from db.queries.transcript import transcript
from db.selection import Selection
from db.writer.events import EventRow

_LINES = 20  # of the log


def whole_game(visit: Visit) -> Response:
    """Who won and how, turn by turn."""
    shown, missing = seen_game(visit)
    part = number(visit.query.get("part", "0"), "a part")
    if part >= len(parts(shown)):
        raise NotThere(f"game {shown.number} has no part {part}: go back to the game")
    # That something has moved would tell whom it is hidden from that somebody acted.
    open_ = shown.eyes.everything and shown.status in ("running", "paused", "scheduled")
    page = game_page(shown, part)
    found = branched_turns(visit.session, shown.number) if shown.eyes.everything else []
    return visit.draw(
        "game.html",
        page=page,
        missing=missing,
        branches=branches_page(shown, found, page.lanes),
        watched=visit.watching("game", shown.number) if open_ else None,
        notes=notes_of(visit, shown),
        **_followed(visit, shown),
    )


def _followed(visit: Visit, shown: SeenGame) -> dict[str, Any]:
    """What happened to the game, and what was logged of it: a seat, or whoever does not know the
    players, is not told who lapsed."""
    if not shown.eyes.everything:
        return {"states": (), "logged": ()}
    selection = Selection(game=shown.number)
    return {
        "states": game_states(visit.session, shown.number),
        "logged": execution_logs(visit.session, selection, limit=_LINES),
    }


def turn(visit: Visit) -> Response:
    """What a player was shown in a turn, and what its model was sent and answered."""
    shown, _ = seen_game(visit, with_calls=True)
    place = visit.number("turn")
    found = calls_of(shown, place)
    if found is None:
        raise NotThere(f"game {shown.number} has no turn {place} here: go back to the game")
    asked, calls = found
    own = [each.number for each in shown.turns if each.own is not None]
    at = own.index(place)
    return visit.draw(
        "turn.html",
        game=shown,
        turn=asked,
        calls=calls,
        tools=() if asked.own is None else asked.own.tools,
        teams=teams_of(shown),
        part=part_of(shown, asked.place) or None,
        notes=notes_of(visit, shown, asked),
        seat=next(seat for seat in shown.seats if seat.index == asked.player),
        previous=own[at - 1] if at else None,
        following=own[at + 1] if at + 1 < len(own) else None,
    )


def seen_game(visit: Visit, *, with_calls: bool = False) -> tuple[SeenGame, str | None]:
    """A game through the filter, and why a part of it is missing: with its calls, but without
    chances, for the page of a turn."""
    session, asked = visit.session, visit.number("game")
    row = game(session, asked)
    if row is None:
        raise NotThere(f"there is no game {asked}: `arena games` lists them")
    row = replace(row, status=shown_status(row, run_now(session)))
    report = game_report(row, transcript(session, asked, bodies=with_calls), with_calls=with_calls)
    state = events_state(session, asked)
    told: list[EventRow] = events(session, asked)
    missing = None
    if not told:
        why = f" ({state.error})" if state is not None and state.error else ""
        missing = f"this game has no events{why}: type `arena events rebuild`"
        if row.status == "void":
            missing = "a void game has no events: what was said and done is in its transcript"
        elif row.status in ("running", "paused", "scheduled"):
            missing = "the game is not over: who voted for whom is told when it is"
    eyes = _eyes(visit, report)
    moves = [] if with_calls or not eyes.everything else _chances(session, asked, told)
    reader = None if state is None else state.reader
    return replace(seen(report, told, moves, eyes), reader=reader), missing


def blind_numbers(visit: Visit) -> list[int]:
    """The game's own numbers of the turns in the page for whoever rates it blind, by their
    places."""
    asked = visit.number("game")
    row = game(visit.session, asked)
    if row is None:
        raise NotThere(f"there is no game {asked}: `arena games` lists them")
    report = game_report(row, transcript(visit.session, asked, calls=False))
    return numbers_of(report, events(visit.session, asked), Eyes(public=True, blind=True))


def _eyes(visit: Visit, report: GameReport) -> Eyes:
    given = visit.query.get("as")
    if given is None:
        blind = bool(visit.query.get("blind"))
        return Eyes(public=blind or bool(visit.query.get("hidden")), blind=blind)
    player = number(given, "a player")
    if player not in {each.index for each in report.seats}:
        raise NotThere(f"game {report.game} has no player {player}")
    return Eyes(player)


def _chances(session: Session, asked: int, told: Sequence[EventRow]) -> list[TurnChance]:
    """Who was ahead, where the environment tells it."""
    try:
        return chances(session, asked, told)
    except UsageError:
        return []


ROUTES = (("/game/{game}", whole_game), ("/game/{game}/turn/{turn}", turn))

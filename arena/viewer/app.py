"""The pages as a Starlette application over a database that is opened to be read."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jinja2 import Environment
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from arena.core import ArenaError, UsageError
from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.stored import stored_answer
from arena.reports.chances import TurnChance, chances
from arena.reports.game import GameReport, game_report, result_of
from arena.viewer.board_page import chips, drawn
from arena.viewer.boards import BoardWorker
from arena.viewer.game_page import game_page
from arena.viewer.guard import Guard
from arena.viewer.seen import Eyes, SeenGame, calls_of, seen
from arena.viewer.templating import environment, page
from db import Database, Session
from db.errors import BadSelection, DatabaseError, SchemaTooNew, SchemaTooOld
from db.live import run_now
from db.queries.events import events, events_state
from db.queries.games import game, games, shown_status
from db.queries.transcript import transcript
from db.selection import Selection
from db.writer.events import EventRow

_ROWS = 50
_NEWEST = 12
_LARGEST = 2**31 - 1
_STATIC = Path(__file__).parent / "static"
# What the one filter of games may be asked in an address.
FILTERS = (
    "tournament", "environment", "agent", "kind", "model", "prompt", "role", "team", "result",
    "status", "termination", "since", "until", "parent", "revision",
)  # fmt: skip
_BOARD_FILTERS = ("environment", "tournament", "role", "team", "since", "until")


class NotThere(UsageError):
    """A page is asked for that there is none of."""


class Pages:
    """The pages of a `database`; boards that nobody has stored are left to a `worker`."""

    def __init__(self, database: Database, worker: BoardWorker) -> None:
        self._database = database
        self._worker = worker
        self._templates: Environment = environment()

    def routes(self) -> list[Any]:
        """Where each page is."""
        return [
            Route("/", self._answered(self.board)),
            Route("/games", self._answered(self.games)),
            Route("/game/{game}", self._answered(self.game)),
            Route("/game/{game}/turn/{turn}", self._answered(self.turn)),
            Mount("/static", StaticFiles(directory=_STATIC)),
            Route("/{path:path}", self._answered(self.nothing)),
        ]

    def board(self, request: Request, session: Session) -> Response:
        """The leaderboard, as it is stored."""
        asked = _asked(request, (*_BOARD_FILTERS, "system", "by", "errors"))
        query = _board_query(asked)
        answer = stored_answer(session, query)
        failed = None
        if answer is None or answer.behind:
            failed = self._worker.ask(query)
        boards = [] if answer is None else drawn(answer)
        return self._page(
            "board.html",
            answer=answer,
            boards=boards,
            failed=failed,
            chips=chips(asked, boards, "/"),
            newest=[(row, result_of(row)) for row in games(session, limit=_NEWEST)],
        )

    def games(self, request: Request, session: Session) -> Response:
        """The games of a filter, the newest first, each page from where the last one ended."""
        asked = _asked(request, FILTERS)
        given = request.query_params.get("before")
        before = None if given is None else _number(given, "a game")
        numbers = {
            name: _number(asked[name], "a number")
            for name in ("parent", "revision")
            if name in asked
        }
        words: dict[str, Any] = asked | numbers
        found = games(session, Selection(**words), limit=_ROWS + 1, before=before)
        live = run_now(session)
        rows = [replace(row, status=shown_status(row, live)) for row in found[:_ROWS]]
        return self._page(
            "games.html",
            asked=asked,
            filters=FILTERS,
            rows=[(row, result_of(row)) for row in rows],
            older=rows[-1].game_id if len(found) > _ROWS else None,
            before=before,
        )

    def game(self, request: Request, session: Session) -> Response:
        """A game as it is seen by who is asked for."""
        shown, missing = self._seen(request, session)
        return self._page("game.html", page=game_page(shown), missing=missing)

    def turn(self, request: Request, session: Session) -> Response:
        """What a player was shown in a turn, and what its model was sent and answered."""
        shown, _ = self._seen(request, session, with_calls=True)
        number = _number(request.path_params["turn"], "a turn")
        found = calls_of(shown, number)
        if found is None:
            raise NotThere(f"game {shown.number} has no turn {number} here: go back to the game")
        turn, calls = found
        own = [each.number for each in shown.turns if each.own is not None]
        at = own.index(number)
        return self._page(
            "turn.html",
            game=shown,
            turn=turn,
            calls=calls,
            seat=next(seat for seat in shown.seats if seat.index == turn.player),
            previous=own[at - 1] if at else None,
            following=own[at + 1] if at + 1 < len(own) else None,
        )

    def nothing(self, request: Request, session: Session) -> Response:
        """Any other address."""
        raise NotThere("there is no such page: the leaderboard and the games lead to all others")

    def _seen(
        self, request: Request, session: Session, *, with_calls: bool = False
    ) -> tuple[SeenGame, str | None]:
        """A game through the filter, and why a part of it is missing."""
        number = _number(request.path_params["game"], "a game")
        row = game(session, number)
        if row is None:
            raise NotThere(f"there is no game {number}: `arena games` lists them")
        row = replace(row, status=shown_status(row, run_now(session)))
        report = game_report(row, transcript(session, number), with_calls=with_calls)
        state = events_state(session, number)
        told: list[EventRow] = events(session, number)
        missing = None
        if not told:
            why = f" ({state.error})" if state is not None and state.error else ""
            missing = f"this game has no events{why}: type `arena events rebuild`"
            if row.status in ("running", "paused", "scheduled"):
                missing = "the game is not over: who voted for whom is told when it is"
        eyes = _eyes(request, report)
        moves = _chances(session, number) if told and eyes.everything else []
        return seen(report, told, moves, eyes), missing

    def _page(self, name: str, status: int = 200, **values: Any) -> Response:
        return page(self._templates, name, status, **values)

    def _answered(
        self, handler: Callable[[Request, Session], Response]
    ) -> Callable[[Request], Response]:
        """The handler in a session of its own; what goes wrong for people is a page that says so.
        Starlette runs it in a thread."""

        def endpoint(request: Request) -> Response:
            try:
                with self._database.session(create=False) as session:
                    return handler(request, session)
            except NotThere as error:
                return self._page("error.html", 404, said=str(error))
            except (SchemaTooOld, SchemaTooNew) as error:
                return self._page("error.html", 503, said=str(error))
            except (BadSelection, ArenaError) as error:
                return self._page("error.html", 400, said=str(error))
            except DatabaseError as error:
                return self._page("error.html", 503, said=str(error))
            except Exception:
                traceback.print_exc(file=sys.stderr)
                said = "this page could not be made, which is a fault of the pages: the traceback "
                return self._page("error.html", 500, said=said + "is where `arena view` was typed")

        return endpoint


def application(database: Database, worker: BoardWorker, *, token: str, port: int) -> Guard:
    """The pages of a read-only `database`, behind the guard; the caller closes the `worker`."""
    return Guard(Starlette(routes=Pages(database, worker).routes()), token, port)


def _asked(request: Request, names: tuple[str, ...]) -> dict[str, str]:
    """What an address asks: those of the names that have a value."""
    return {name: value for name in names if (value := request.query_params.get(name, "").strip())}


def _board_query(asked: Mapping[str, str]) -> LeaderboardQuery:
    by, errors = asked.get("by", "agent"), asked.get("errors")
    if by not in ("agent", "model", "prompt", "kind"):
        raise UsageError(f"by: expected agent, model, prompt or kind, found {by!r}")
    if errors not in (None, "decided", "touched"):
        raise UsageError(f"errors: expected decided or touched, found {errors!r}")
    words: dict[str, Any] = {name: asked[name] for name in _BOARD_FILTERS if name in asked}
    query = LeaderboardQuery(Selection(**words), by=by, exclude_errors=errors)  # type: ignore[arg-type]
    return replace(query, system=asked["system"]) if "system" in asked else query


def _eyes(request: Request, report: GameReport) -> Eyes:
    given = request.query_params.get("as")
    if given is None:
        return Eyes(public=bool(request.query_params.get("hidden")))
    player = _number(given, "a player")
    if player not in {each.index for each in report.players}:
        raise NotThere(f"game {report.game} has no player {player}")
    return Eyes(player)


def _chances(session: Session, number: int) -> list[TurnChance]:
    """Who was ahead, where the environment tells it."""
    try:
        return chances(session, number)
    except UsageError:
        return []


def _number(given: str, what: str) -> int:
    """A number of an address. Raises NotThere for one that nothing can have."""
    if not (given.isascii() and given.isdigit()) or len(given) > 10 or int(given) > _LARGEST:
        raise NotThere(f"{given[:40]!r} is not the number of {what}")
    return int(given)

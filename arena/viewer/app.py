"""The pages as a Starlette application over a database that is opened to be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import cast
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from arena.core import ArenaError
from arena.viewer.access import Access
from arena.viewer.boards import BoardWorker
from arena.viewer.guard import LARGEST_FORM, METRICS, VISITOR, Guard
from arena.viewer.links import ServerLinks
from arena.viewer.pages import (
    against,
    agents,
    annotating,
    audit,
    calls,
    compare,
    cost,
    game,
    games,
    head_to_head,
    insights,
    leaderboard,
    metrics,
    models,
    playing,
    prompts,
    search,
    templates,
    tournaments,
)
from arena.viewer.streams import Streams
from arena.viewer.templating import environment
from arena.viewer.tracebacks import print_traceback
from arena.viewer.visit import Handler, NotAllowed, NotThere, Visit
from db import Database, Session
from db.errors import BadAnnotation, BadSelection, DatabaseError
from db.repository import Repository

STATIC = Path(__file__).parent / "static"
ROUTES: tuple[tuple[str, Handler], ...] = (
    *leaderboard.ROUTES,
    *head_to_head.ROUTES,
    *compare.ROUTES,
    *cost.ROUTES,
    *games.ROUTES,
    *game.ROUTES,
    *against.ROUTES,
    *calls.ROUTES,
    *insights.ROUTES,
    *search.ROUTES,
    *tournaments.ROUTES,
    *agents.ROUTES,
    *prompts.ROUTES,
    *models.ROUTES,
    *templates.ROUTES,
    *annotating.ROUTES,
    *playing.ROUTES,
    *audit.ROUTES,
)
"""Every page: its path, and the function that answers it."""
FORMS: tuple[tuple[str, Handler], ...] = (*annotating.FORMS, *playing.FORMS)
"""Every form that is sent to be written; the guard knows them too."""


def application(
    database: Database,
    worker: BoardWorker,
    *,
    token: str,
    port: int,
    streams: Streams | None = None,
    access: Access | None = None,
    anywhere: bool = False,
) -> Guard:
    """The pages of a read-only `database`, behind the guard, and the `streams` that tell them when
    something has moved. With `access` people log in by tokens of their own; `anywhere` says that
    other machines ask, and then only they are answered. The caller closes the `worker`, and the
    streams if it gives them."""
    streams = streams or Streams(database, worker)
    answered = _Answered(database, worker)
    routes = [Route(path, answered(handler)) for path, handler in ROUTES]
    routes += [Route(path, answered.form(handler), methods=["POST"]) for path, handler in FORMS]
    beside = [Route("/live", streams.answer), Route(METRICS, answered(metrics.metrics))]
    nothing = answered(_nothing)

    def missing(request: Request, _error: Exception) -> Response:
        return nothing(request)

    mounted = Mount("/static", StaticFiles(directory=STATIC))
    pages = Starlette(
        routes=[*routes, *beside, mounted], exception_handlers={404: missing, 405: missing}
    )
    pages.router.redirect_slashes = False
    return Guard(pages, token, port, access, anywhere)


def _nothing(visit: Visit) -> Response:
    raise NotThere("there is no such page: the leaderboard and the games lead to all others")


class _Answered:
    """Handlers in a session of their own; what goes wrong for people is a page that says so."""

    def __init__(self, database: Database, worker: BoardWorker) -> None:
        self._database = database
        # Drawing needs no session until one is there.
        self._visit = Visit(cast("Session", None), environment(), ServerLinks(), worker=worker)

    def __call__(self, handler: Handler) -> Callable[[Request], Response]:
        """The handler as an endpoint, which Starlette runs in a thread."""

        def endpoint(request: Request) -> Response:
            return self._answer(handler, self._asked(request))

        return endpoint

    def form(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """The same for a form, whose fields are read before."""

        async def endpoint(request: Request) -> Response:
            body = b""
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_FORM:
                    return _refused(self._visit, 413, "the form is longer than it says")
            text = body.decode("latin-1")
            try:
                form = parse_qsl(text, keep_blank_values=True, errors="replace", max_num_fields=50)
            except ValueError:
                return _refused(self._visit, 400, "the form has more than 50 fields")
            visit = replace(self._asked(request), form=dict(form))
            return await run_in_threadpool(self._answer, handler, visit)

        return endpoint

    def _asked(self, request: Request) -> Visit:
        return replace(
            self._visit,
            path=request.path_params,
            query=dict(request.query_params),
            cookies=request.cookies,
            visitor=request.scope.get(VISITOR),
        )

    def _answer(self, handler: Handler, visit: Visit) -> Response:
        try:
            with self._database.session(create=False) as session:
                asked = replace(visit, session=session)
                # What a page shows and the state that it watches are of one moment.
                Repository(session).freeze()
                return handler(asked)
        except NotThere as error:
            return _refused(visit, 404, error)
        except NotAllowed as error:
            return _refused(visit, 403, error)
        except (BadAnnotation, BadSelection, ArenaError) as error:
            return _refused(visit, 400, error)
        except DatabaseError as error:
            # What is there by then is opened for the next page: another file, upgraded tables.
            self._database.close()
            if visit.worker is not None:
                visit.worker.source.close()
            return _refused(visit, 503, error)
        except Exception:
            print_traceback()
            said = "this page could not be made, which is a bug of the pages: the traceback is "
            return _refused(visit, 500, said + "in the terminal of `arena view`")


def _refused(visit: Visit, status: int, said: object) -> Response:
    return visit.draw("error.html", status, said=str(said))

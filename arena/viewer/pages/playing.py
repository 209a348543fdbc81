"""What waits for a person, the form in which it is answered, and the login of people."""

from __future__ import annotations

from typing import Any

from starlette.responses import RedirectResponse, Response

from arena.replay.moves import doubts
from arena.viewer.links import path_of
from arena.viewer.visit import NotThere, Visit, number
from db import Repository
from db.errors import BadAnswer, Busy, DatabaseError
from db.queries.requests import (
    RequestRow,
    idle_tournaments,
    observed,
    people_waited_for,
    request_rows,
)

_PATIENCE_S = 5.0
_MOST_SEEN = 100_000
_TOLD = {"taken": "Your answer is taken."}


def waiting(visit: Visit) -> Response:
    """What waits for a person: who has logged in, or where nobody has to, who is named."""
    me = _me(visit)
    operator = visit.visitor is None or visit.visitor.may("approve")
    rows = [] if me is None else request_rows(visit.session, person=me, operator=operator)
    return visit.draw(
        "play.html",
        visitor=visit.visitor,
        me=me,
        as_=_as(visit),
        people=[] if visit.visitor else people_waited_for(visit.session),
        rows=rows,
        idle=[] if me is None else idle_tournaments(visit.session, me),
        told=_TOLD.get(visit.query.get("noted", "")),
    )


def request(visit: Visit) -> Response:
    """One request, and its form."""
    row = _row(visit, visit.path["request"])
    return _form(visit, row)


def answer(visit: Visit) -> Response:
    """Take what the form says, and lead to what waits next."""
    row = _row(visit, visit.form.get("request", ""))
    me = _me(visit)
    typed = visit.form.get("response", "").replace("\r\n", "\n")
    if row.type == "move" and row.game_id is not None and visit.form.get("sure") != "1":
        found = doubts(visit.session, row.game_id, row.turn or 0, typed)
        if found:
            why = f"{'; '.join(found)}: send it again to have it all the same"
            return _form(visit, row, why, typed, 400)
    try:
        assert visit.worker is not None
        with visit.worker.source.brief_session(_PATIENCE_S) as session:
            Repository(session).answer_request(row.id, typed, me or "")
    except BadAnswer as error:
        return _form(visit, row, str(error), typed, 409)
    except Busy:
        why = f"others have been writing to this database for {_PATIENCE_S:.0f} seconds"
        return _form(visit, row, f"{why}: send it again", typed, 503)
    except DatabaseError as error:
        return _form(visit, row, str(error), typed, 503)
    return RedirectResponse(path_of("play", **{"as": _as(visit)}, noted="taken"), 303)


def login_page(visit: Visit) -> Response:
    """The form that takes a token."""
    return visit.draw("login.html", 200, why=None)


def _me(visit: Visit) -> str | None:
    return visit.visitor.name if visit.visitor is not None else _as(visit)


def _as(visit: Visit) -> str | None:
    """Who is named where nobody has to log in."""
    if visit.visitor is not None:
        return None
    return (visit.form.get("as") or visit.query.get("as") or "")[:100] or None


def _row(visit: Visit, given: str) -> RequestRow:
    """A request to this person. Raises NotThere for every other."""
    found = request_rows(visit.session, request=number(given, "a request"), waiting=False)
    me = _me(visit)
    operator = visit.visitor is None or visit.visitor.may("approve")
    for row in found:
        if row.person == me or (row.person is None and operator):
            return row
    raise NotThere(f"no request {given} is made to {me or 'you'}: /play shows what waits")


def _form(
    visit: Visit, row: RequestRow, why: str | None = None, typed: str = "", status: int = 200
) -> Response:
    if row.game_id is not None and row.turn is not None:
        seen = observed(visit.session, row.game_id, row.turn)
    else:
        seen = row.content or ""
    if row.answered_at is not None and why is None:
        why = "The time for this is over." if row.lapsed else "This was answered already."
    shown: dict[str, Any] = {
        "visitor": visit.visitor,
        "me": _me(visit),
        "as_": _as(visit),
        "row": row,
        # What a page holds; what came last matters most.
        "seen": seen[-_MOST_SEEN:],
        "open": row.answered_at is None and status != 409,
        "why": why,
        "typed": typed,
    }
    return visit.draw("request.html", status, **shown)


ROUTES = (("/play", waiting), ("/play/{request}", request), ("/login", login_page))
FORMS = (("/play", answer),)

"""What waits for a person, the form in which it is answered, and the login of people."""

from __future__ import annotations

from typing import Any

from starlette.responses import RedirectResponse, Response

from arena.core.text import visible
from arena.replay.answer_form import AnswerField, answer_fields, filled
from arena.replay.moves import doubts
from arena.viewer.access import too_little
from arena.viewer.links import path_of
from arena.viewer.visit import NotAllowed, NotThere, Visit, number
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


def observation(visit: Visit) -> Response:
    """All that the seat of a request observes, as text."""
    row = _row(visit, visit.path["request"])
    text = visible(_seen(visit, row), keep="\n\t")
    return Response(text, media_type="text/plain; charset=utf-8")


def answer(visit: Visit) -> Response:
    """Take what the form says, and lead to what waits next."""
    row = _row(visit, visit.form.get("request", ""))
    me = _me(visit)
    typed = visit.form.get("response", "").replace("\r\n", "\n")
    if fields := _fields(visit, row):
        said = filled(fields, {each.name: _in_form(visit, each) for each in fields})
        if said.wrong:
            return _form(visit, row, "; ".join(said.wrong.values()), status=400)
        typed = said.text
    elif row.type == "move" and row.game_id is not None and visit.form.get("sure") != "1":
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
    """A request to this person. Raises NotAllowed for one to operators, NotThere for others."""
    found = request_rows(visit.session, request=number(given, "a request"), waiting=False)
    me = _me(visit)
    for row in found:
        if row.person is None and visit.visitor is not None and not visit.visitor.may("approve"):
            raise NotAllowed(too_little(visit.visitor, "approve"))
        if row.person in (me, None):
            return row
    raise NotThere(f"no request {given} is made to {me or 'you'}: /play shows what waits")


def _seen(visit: Visit, row: RequestRow) -> str:
    if row.game_id is None or row.turn is None:
        return row.content or ""
    return observed(visit.session, row.game_id, row.turn)


def _fields(visit: Visit, row: RequestRow) -> tuple[AnswerField, ...]:
    """The parts of the answer that is asked for; none for words."""
    if row.game_id is None or row.turn is None or row.answered_at is not None:
        return ()
    return answer_fields(visit.session, row.game_id, row.turn)


def _in_form(visit: Visit, field: AnswerField) -> str:
    return visit.form.get(f"field-{field.name}", "").replace("\r\n", "\n")


def _form(
    visit: Visit, row: RequestRow, why: str | None = None, typed: str = "", status: int = 200
) -> Response:
    seen = _seen(visit, row)
    if row.answered_at is not None and why is None:
        why = "The time for this is over." if row.lapsed else "This was answered already."
    shown: dict[str, Any] = {
        "visitor": visit.visitor,
        "me": _me(visit),
        "as_": _as(visit),
        "row": row,
        # What a page holds; what came last matters most.
        "seen": seen[-_MOST_SEEN:],
        "cut": len(seen) > _MOST_SEEN,
        "fields": [(each, _in_form(visit, each)) for each in _fields(visit, row)],
        "open": row.answered_at is None and status != 409,
        "why": why,
        "typed": typed,
    }
    return visit.draw("request.html", status, **shown)


ROUTES = (
    ("/play", waiting),
    ("/play/{request}", request),
    ("/play/{request}/observation", observation),
    ("/login", login_page),
)
FORMS = (("/play", answer),)

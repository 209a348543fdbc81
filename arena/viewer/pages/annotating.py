"""What people said of games, how far they agree, and the form by which they say it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from starlette.responses import RedirectResponse, Response

from arena.reports.agreement import agreement
from arena.viewer.annotations_page import TAGS, annotations_page
from arena.viewer.links import path_of
from arena.viewer.notes import COOKIE, AnnotationForm, annotator_of, cookie_of, targets_of
from arena.viewer.pages.game import blind_numbers, seen_game
from arena.viewer.visit import Visit, number
from db import Repository
from db.errors import BadAnnotation, Busy, DatabaseError
from db.queries.annotations import annotation_rows, tag_counts
from db.queries.games import games
from db.repository.audit import acting_as
from db.selection import Selection

_ROWS = 50
_JUDGED = 400
"""The newest annotations whose agreement a page computes."""
_OFFERED = 24
"""The newest games among which those are looked for that one has not rated."""
_PATIENCE_S = 5.0
_YEAR_S = 365 * 24 * 3600
_FILTERS = ("tournament", "environment", "tag")


def annotation_list(visit: Visit) -> Response:
    """The annotations of a filter, the newest first, and how far they agree."""
    asked = visit.asked(*_FILTERS, "by")
    given = visit.query.get("before")
    before = None if given is None else number(given, "an annotation")
    words: dict[str, Any] = {name: asked[name] for name in _FILTERS if name in asked}
    chosen, by = Selection(**words), asked.get("by")
    rows = annotation_rows(visit.session, chosen, annotator=by, limit=_ROWS + 1, before=before)
    judged = annotation_rows(visit.session, chosen, limit=_JUDGED)
    return visit.draw(
        "annotations.html",
        page=annotations_page(agreement(judged, TAGS), len(judged) == _JUDGED),
        asked=asked,
        rows=rows[:_ROWS],
        older=rows[_ROWS - 1].id if len(rows) > _ROWS else None,
        before=before,
        tags=tag_counts(visit.session, 30),
        unrated=_unrated(visit) if visit.live else [],
        me=annotator_of(visit),
    )


def _unrated(visit: Visit) -> list[tuple[int, int]]:
    """(game, its turns) of the newest that were finished and that this annotator has said nothing
    of."""
    newest = games(visit.session, Selection(status="completed"), limit=_OFFERED)
    if not newest:
        return []
    numbers = Selection(game=[row.game_id for row in newest])
    mine = annotation_rows(visit.session, numbers, annotator=annotator_of(visit))
    done = {row.game_id for row in mine}
    return [(row.game_id, row.turn_count or 0) for row in newest if row.game_id not in done][:12]


def annotate(visit: Visit) -> Response:
    """Write down what the form says, and lead to where it can be seen."""
    form = visit.form
    game = number(form.get("game", ""), "a game")
    blind = form.get("blind") == "1"
    about = replace(visit, path={"game": str(game)}, query={"blind": "1"} if blind else {})
    shown, _ = seen_game(about)
    typed = AnnotationForm(
        game=game,
        blind=blind,
        page="turn" if form.get("page") == "turn" else "game",
        targets=targets_of(shown),
        target=form.get("target", ""),
        annotator=form.get("annotator", "") if visit.visitor is None else visit.visitor.name,
        rating=form.get("rating", ""),
        tags=form.get("tags", ""),
        comment=form.get("comment", ""),
    )
    try:
        if typed.target not in dict(typed.targets):
            raise BadAnnotation(f"there is no turn {typed.target[:20]!r} of game {game} here")
        if typed.rating not in ("", "1", "2", "3", "4", "5"):
            raise BadAnnotation(f"a rating is a number from 1 to 5, found {typed.rating[:20]!r}")
        turn = None
        if typed.target:
            # Pages that hide something count turns anew: what is written has the game's number.
            place = int(typed.target)
            turn = blind_numbers(about)[place] if blind else place
        assert visit.worker is not None
        with visit.worker.source.brief_session(_PATIENCE_S) as session:
            if visit.visitor is not None:
                acting_as(session, visit.visitor.name)
            found = Repository(session).annotate(
                game,
                turn,
                typed.annotator,
                rating=int(typed.rating) if typed.rating else None,
                tags=[typed.tags],
                comment=typed.comment,
                blind=blind,
            )
    except BadAnnotation as error:
        return visit.draw("annotate.html", 400, form=typed, why=str(error))
    except Busy:
        why = f"others have been writing to this database for {_PATIENCE_S:.0f} seconds"
        return visit.draw("annotate.html", 503, form=typed, why=f"{why}: send it again")
    except DatabaseError as error:
        return visit.draw("annotate.html", 503, form=typed, why=str(error))
    answer = RedirectResponse(_after(typed, again=found.before is not None), 303)
    answer.set_cookie(
        COOKIE,
        cookie_of(found.now.annotator),
        max_age=_YEAR_S,
        httponly=True,
        samesite="strict",
        path="/",
    )
    return answer


def _after(form: AnnotationForm, *, again: bool) -> str:
    """The address after a form: after a blind rating, the page that shows who played."""
    noted = "again" if again else "new"
    if form.page == "turn" and form.target:
        path = path_of("game", form.game, "turn", form.target, noted=noted)
    elif form.blind and form.target:
        path = path_of("game", form.game, blind=1, turn=form.target, noted=noted)
    else:
        path = path_of("game", form.game, turn=form.target or None, noted=noted)
    return f"{path}#annotations"


ROUTES = (("/annotations", annotation_list),)
FORMS = (("/annotate", annotate),)

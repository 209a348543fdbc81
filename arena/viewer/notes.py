"""What people said of a game, and the form in which a person says something of it.

What others said may name roles: it is in no page that hides anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from arena.viewer.seen import SeenGame, SeenTurn
from arena.viewer.visit import Visit
from db.login import login_name
from db.queries.annotations import AnnotationRow, annotation, annotations_of

COOKIE = "arena_annotator"
RATINGS = ("1", "2", "3", "4", "5")


@dataclass(frozen=True, slots=True)
class AnnotationForm:
    """The form with what stands in it: texts, as they are typed. `targets` are what can be chosen,
    by value: nothing is the whole game, and else the number that a turn has in the page. `page` is
    where the form stands: `game` or `turn`."""

    game: int
    blind: bool
    page: str
    targets: tuple[tuple[str, str], ...]
    target: str
    annotator: str
    rating: str
    tags: str
    comment: str


@dataclass(frozen=True, slots=True)
class AnnotationNotes:
    """What the page of a game, or of a turn, has of annotations; `told` is what came of a form that
    was just sent."""

    said: tuple[AnnotationRow, ...]
    form: AnnotationForm | None
    told: str | None


_TOLD: Mapping[str, str] = {
    "new": "Saved.",
    "again": "Saved in the place of what you had said of it before.",
}


def annotator_of(visit: Visit) -> str:
    """Who has logged in to the pages, else who annotated last in this browser, else whoever is
    logged in at this machine; empty for nobody."""
    if visit.visitor is not None:
        return visit.visitor.name
    return unquote(visit.cookies.get(COOKIE, ""))[:80] or login_name() or ""


def cookie_of(annotator: str) -> str:
    """The name as the cookie holds it."""
    return quote(annotator, safe="")


def notes_of(visit: Visit, game: SeenGame, turn: SeenTurn | None = None) -> AnnotationNotes | None:
    """Those of a game, or of a turn of it; None where a page hides something without being made to
    be rated."""
    eyes = game.eyes
    if not (eyes.everything or eyes.blind):
        return None
    said: tuple[AnnotationRow, ...] = ()
    if eyes.everything:
        found = annotations_of(visit.session, game.number)
        said = tuple(row for row in found if turn is None or row.turn == turn.number)
    if not visit.live:
        return AnnotationNotes(said, None, None)
    return AnnotationNotes(said, _form(visit, game, turn), _TOLD.get(visit.query.get("noted", "")))


def targets_of(game: SeenGame) -> tuple[tuple[str, str], ...]:
    """What of a game can be annotated in these eyes."""
    names = {seat.index: seat.name for seat in game.seats}
    turns = ((str(t.number), f"turn {t.number}: {names[t.player][:40]}") for t in game.turns)
    return (("", "the whole game"), *turns)


def _form(visit: Visit, game: SeenGame, turn: SeenTurn | None) -> AnnotationForm:
    annotator = annotator_of(visit)
    targets = targets_of(game)
    target = str(turn.number) if turn is not None else visit.query.get("turn", "")
    if target not in dict(targets):
        target = ""
    mine = None
    if game.eyes.everything:
        mine = annotation(visit.session, game.number, int(target) if target else None, annotator)
    return AnnotationForm(
        game=game.number,
        blind=game.eyes.blind,
        page="game" if turn is None else "turn",
        targets=targets if turn is None else tuple(t for t in targets if t[0] == target),
        target=target,
        annotator=annotator,
        rating="" if mine is None or mine.rating is None else str(mine.rating),
        tags="" if mine is None else ", ".join(mine.tags),
        comment="" if mine is None else mine.comment or "",
    )

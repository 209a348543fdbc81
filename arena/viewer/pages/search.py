"""Search in what was said, thought and answered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from starlette.responses import Response

from arena.core import UsageError
from arena.reports.search import phrases, spoken
from arena.viewer.pages.games import FILTERS
from arena.viewer.search_page import ShownHit, by_game, shown_hits
from arena.viewer.visit import Visit, number
from db.queries.boards import board_state
from db.search.documents import PARTS
from db.search.filling import is_behind
from db.search.hits import SearchHits, Sought
from db.search.hits import search as hits_of
from db.search.opened import open_made_store
from db.search.vectors import first_space
from db.selection import Selection

_ROWS = 30
_LOOKED_AT = 3_000
"""Texts with the words that a page looks at: those of a word that everybody says, by a filter that
hardly any of them fits, are without number."""
_LONGEST = 2_000
_OWN = ("q", "like", "in", "event", "phase", "sort", "inside")
OFFERED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "in": (("", "anything"), *((part, part) for part in PARTS)),
    "sort": (("", "newest first"), ("rank", "most relevant first")),
    "inside": (("", "whole words"), ("1", "inside of words too")),
    "result": (("", "any"), ("win", "won"), ("draw", "drew"), ("loss", "lost")),
}
"""The answers that a field of the form offers, each with its name."""


@dataclass(frozen=True, slots=True)
class _Page:
    """What is shown of a question: `missing` says what to type where nothing can be found. What is
    `like` a turn was `compared` with so many actions `by` a model; `failed` says why it was not."""

    hits: list[ShownHit]
    found: SearchHits | None = None
    missing: str | None = None
    behind: bool = False
    like: str | None = None
    compared: int = 0
    by: str | None = None
    failed: str | None = None


def search(visit: Visit) -> Response:
    """What fits a question, with the words around it."""
    asked = visit.asked(*_OWN, *FILTERS)
    given = visit.asked("before").get("before")
    page = _page(visit, asked, given)
    older = None
    if page.found is not None and page.found.left_at is not None:
        older = page.found.left_at
    elif page.found is not None and page.found.more and "sort" not in asked and page.hits:
        last = page.hits[-1].hit
        older = (last.game_id, last.turn_number or 0)
    return visit.draw(
        "search.html",
        asked=asked,
        page=page,
        groups=by_game(page.hits),
        before=given,
        older=older and f"{older[0]}:{older[1]}",
        offered=OFFERED,
        filters=[name for name in FILTERS if name not in OFFERED],
        kept={name: value for name, value in asked.items() if name in FILTERS},
        looked_at=_LOOKED_AT,
        alike=page.hits and first_space(visit.session) is not None,
        rows=_ROWS,
    )


def _page(visit: Visit, asked: Mapping[str, str], before: str | None) -> _Page:
    line = asked.get("q", "")
    if not line and "like" in asked:
        return _like(visit, asked)
    if not line:
        return _Page([])
    if len(line) > _LONGEST:
        raise UsageError(
            f"{len(line):,} characters are too many to search for: expected at most {_LONGEST:,}"
        )
    wanted = phrases(line)
    if not wanted:
        raise UsageError(
            f"nothing to search for in {line[:60]!r}: expected a word, such as Detective"
        )
    name: Literal["words", "parts"] = "parts" if asked.get("inside") else "words"
    sought = Sought(
        phrases=wanted,
        index=name,
        part=_listed(asked, "in"),
        kind=_listed(asked, "event"),
        phase=_listed(asked, "phase"),
        ranked=asked.get("sort") == "rank",
        before=None if before is None else _turn(before),
    )
    selection = selection_of(asked)
    store = open_made_store(visit.session, name)
    if store is None:
        option = " --trigram" if name == "parts" else ""
        return _Page([], missing=f"arena search{option}")
    with store:
        at = store.progress(name)
        found = hits_of(
            visit.session, store, sought, spoken, selection, limit=_ROWS, most=_LOOKED_AT
        )
    return _Page(shown_hits(found.hits), found, behind=is_behind(visit.session, at))


def _like(visit: Visit, asked: Mapping[str, str]) -> _Page:
    """What is most like what was said in a turn, where there are vectors."""
    from arena.aside.similar import SimilarHits, similar

    given = asked["like"]
    place, selection = _turn(given), selection_of(asked)
    space = first_space(visit.session)
    if space is None:
        return _Page([], like=given, missing=f"arena search --like {place[0]}:{place[1]}")
    answer = visit.computed(
        f"like {space} {place} {selection} {asked.get('event')} {asked.get('phase')}",
        board_state(visit.session, Selection()).digest,
        lambda session: similar(
            session,
            space,
            place,
            selection,
            spoken,
            kind=_listed(asked, "event"),
            phase=_listed(asked, "phase"),
            limit=_ROWS,
        ),
    )
    if answer.value is None:
        return _Page([], like=given, behind=True, failed=answer.failed)
    found: SimilarHits = answer.value
    shown = shown_hits([each.hit for each in found.hits], [each.similarity for each in found.hits])
    by = space.partition(": ")[0]
    return _Page(shown, like=given, compared=found.compared, by=by, failed=answer.failed)


def _listed(asked: Mapping[str, str], name: str) -> tuple[str, ...]:
    return (asked[name],) if name in asked else ()


def selection_of(asked: Mapping[str, str]) -> Selection:
    """The one filter of an address."""
    words: dict[str, Any] = {name: asked[name] for name in FILTERS if name in asked}
    for name in ("parent", "revision"):
        if name in asked:
            words[name] = number(asked[name], f"a {name}")
    return Selection(**words)


def _turn(given: str) -> tuple[int, int]:
    game, _, turn = given.partition(":")
    return number(game, "a game"), number(turn, "a turn")


ROUTES = (("/search", search),)

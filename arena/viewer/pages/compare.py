"""Two agents compared: by the games that were played for it, or by all that are on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from arena.compare.answer import ASKS, errors
from arena.compare.on_record import PlayedDuel, duels, on_record
from arena.compare.question import Question
from arena.core import UsageError
from arena.leaderboard.role_pairs import role_pairs
from arena.viewer.compare_page import ComparedPage, compared_page, roles
from arena.viewer.pages.leaderboard import environment_options
from arena.viewer.scope import Chip, chip, menu
from arena.viewer.visit import NotThere, Visit
from db import Session
from db.errors import BadSelection
from db.finding import find
from db.live import run_now
from db.queries.agents import agent_names
from db.queries.boards import board_state
from db.selection import Selection

_SINGLE = "single games, as they were seated"
_NUMBERS = ("h0", "h1", "alpha", "beta")


def compare(visit: Visit) -> Response:
    """The sequential test of A against B, and what it rests on."""
    try:
        a, b = (find(visit.session, "agent", visit.path[name])[-1] for name in ("a", "b"))
    except BadSelection as error:
        raise NotThere(str(error)) from error
    names = {key: row.name for key, row in agent_names(visit.session).items()}
    if a == b:
        raise UsageError(
            f"{names[a]} is asked to be compared with itself: name another one at the end of the "
            "address; `arena agents list` has them"
        )
    asked = visit.asked("tournament", "played", "environment", "test", *_NUMBERS)
    known = duels(visit.session, names[a], names[b])
    duel = _duel(asked, known)
    question = None if duel else _question(str(a), str(b), asked)
    selection = Selection(tournament=duel.tournament_id if duel else None)
    state = board_state(visit.session, selection).digest
    answer = visit.computed(
        f"compare {a} {b} {duel.tournament if duel else question}",
        f"{state} {duel.finished if duel else ''}",
        lambda session: _answer(session, question, duel),
    )
    where = selection if duel else Selection(environment=asked.get("environment"))
    columns, rows = _roles(visit.session, where, a, b, duel)
    page: ComparedPage | None = answer.value
    running = duel is not None and duel.tournament_id in run_now(visit.session)
    return visit.draw(
        "compare.html",
        a=a, b=b, names=names, asked=asked, page=page, answer=answer, duel=duel, running=running,
        errors=page and errors(page.found.options),
        seating=page and ASKS.get(page.found.seating, _SINGLE),
        chips=_chips(asked, known, duel), columns=columns, rows=rows,
        environments=menu(
            asked, "environment", "Environment",
            [(None, "the only one"), *environment_options(visit)], ("tournament",),
        ),
        watched=visit.watching("all", moving=running),
    )  # fmt: skip


def _duel(asked: Mapping[str, str], known: list[PlayedDuel]) -> PlayedDuel | None:
    """The comparison that is meant: the one that is named, else the newest; None where the games on
    record are."""
    if "tournament" in asked:
        found = next((duel for duel in known if duel.tournament == asked["tournament"]), None)
        if found is None:
            raise UsageError(
                f"{asked['tournament']!r} is no comparison of these two: `arena tournaments list`"
            )
        return found
    on_games = {"played", "environment", "test", *_NUMBERS} & {*asked}
    return known[0] if known and not on_games else None


def _question(a: str, b: str, asked: Mapping[str, str]) -> Question:
    numbers: dict[str, Any] = {}
    for name in _NUMBERS:
        if name in asked:
            try:
                numbers[name] = float(asked[name])
            except ValueError:
                raise UsageError(
                    f"{name}: expected a number such as 0.5, found {asked[name][:40]!r}"
                ) from None
    return Question(a, b, asked.get("environment"), test=asked.get("test"), **numbers)


def _answer(session: Session, question: Question | None, duel: PlayedDuel | None) -> ComparedPage:
    # They import what computes, which takes longer than to serve a page.
    from arena.compare.course import course
    from arena.compare.played import played_in

    if duel is not None:
        found = on_record(session, duel.tournament)
    else:
        assert question is not None
        found = played_in(session, question)
    return compared_page(found, course(found))


def _roles(session: Session, where: Selection, a: int, b: int, duel: PlayedDuel | None) -> Any:
    try:
        pairs = role_pairs(session, where, (a, b))
    except UsageError:
        return [], []
    environments = {pair.environment for pair in pairs}
    # Of several, the roles are of several games.
    if len(environments) > 1:
        return [], []
    return roles(pairs, a, b, duel.tournament if duel else None)


def _chips(
    asked: Mapping[str, str], known: list[PlayedDuel], duel: PlayedDuel | None
) -> list[Chip]:
    every = ("tournament", "played", "environment", "test", *_NUMBERS)
    found = []
    for each in known[:12]:
        text = f"played for it: {each.test}, {'finished' if each.finished else 'open'}"
        asks = chip(asked, text, every, tournament=each.tournament)
        found.append(Chip(text, asks.asked, each == duel))
    if known:
        asks = chip(asked, "all games on record", every, played="1")
        found.append(Chip(asks.text, asks.asked, duel is None))
    return found


ROUTES = (("/compare/{a}/{b}", compare),)

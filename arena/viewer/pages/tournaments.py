"""Tournaments: how far each is, and what is going on in one."""

from __future__ import annotations

from starlette.responses import Response

from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.stored import stored_answer
from arena.reports.run_status import telling
from arena.reports.tournament import budget_of, tournament_report
from arena.viewer.board_page import drawn
from arena.viewer.tournament_page import facts, line, spell, standings
from arena.viewer.visit import NotThere, Visit, number
from db.errors import BadSelection
from db.finding import find
from db.live import run_now
from db.queries.audit import status_history
from db.queries.execution_logs import execution_logs
from db.queries.running import games_being_played, told_by_runs
from db.queries.spending import spending
from db.queries.tournaments import tournaments
from db.selection import Selection

_ROWS = 40
_SHOWN = 120
"""Games that are being played, shown at most."""
_LINES = 20  # of the log


def tournament_list(visit: Visit) -> Response:
    """The tournaments, the newest first, each page from where the last one ended."""
    asked = visit.asked("environment")
    given = visit.query.get("before")
    before = None if given is None else number(given, "a tournament")
    found = tournaments(
        visit.session,
        Selection(environment=asked.get("environment")),
        limit=_ROWS + 1,
        before=before,
    )
    rows = found[:_ROWS]
    live = run_now(visit.session)
    told = told_by_runs(visit.session, [row.tournament_id for row in rows])
    lines = [
        line(
            tournament_report(row, live),
            row.tournament_id in live,
            telling(told.get(row.tournament_id)),
            budget_of(row.settings, row.config),
        )
        for row in rows
    ]
    return visit.draw(
        "tournaments.html",
        lines=lines,
        asked=asked,
        before=before,
        older=rows[-1].tournament_id if len(found) > _ROWS else None,
        watched=visit.watching("tournaments", moving=bool(live)),
    )


def tournament(visit: Visit) -> Response:
    """What is going on in one tournament."""
    session, name = visit.session, visit.path["tournament"]
    try:
        (key,) = find(session, "tournament", name)
    except BadSelection as error:
        raise NotThere(str(error)) from error
    (row,) = tournaments(session, Selection(tournament=str(key)))
    live = run_now(session)
    alive = key in live
    told = telling(told_by_runs(session, [key]).get(key))
    report = tournament_report(row, live, spending(session, key))
    shown = facts(report, alive, told, row.config, row.settings)
    moving = standings(told.status) if told else None
    board = None
    if moving is None or not alive:
        answer = stored_answer(session, LeaderboardQuery(Selection(tournament=str(key))))
        board = drawn(answer)[0] if answer and answer.boards else None
    return visit.draw(
        "tournament.html",
        page=shown,
        standings=moving,
        board=board,
        playing=games_being_played(session, key, _SHOWN + 1),
        most=_SHOWN,
        logged=execution_logs(session, Selection(tournament=str(key)), limit=_LINES),
        spell=spell,
        history=status_history(session, key),
        watched=visit.watching("tournament", key, moving=alive),
    )


ROUTES = (("/tournaments", tournament_list), ("/t/{tournament:path}", tournament))

"""What is found in the games: the same report as `arena insights`."""

from __future__ import annotations

import shlex
from math import log

from starlette.responses import Response

from arena.reports.insights import InsightsReport, insights
from arena.reports.suggestions import suggestions
from arena.viewer.insights_page import insights_page
from arena.viewer.pages.search import selection_of
from arena.viewer.suggestions_part import suggestions_part
from arena.viewer.visit import Visit
from db.live import run_now
from db.queries.boards import board_state

_FILTERS = ("tournament", "environment", "since", "until")


def findings(visit: Visit) -> Response:
    """The findings in the games of a filter, computed beside the page."""
    asked = visit.asked(*_FILTERS)
    selection = selection_of(asked)
    state = board_state(visit.session, selection)
    # While games end all the time, it is made anew when they have become a tenth more.
    growing = int(10 * log(2 + (state.newest or 0))) if run_now(visit.session) else None
    answer = visit.computed(
        f"insights {selection}",
        state.digest if growing is None else f"growing {growing}",
        lambda session: insights(session, selection),
    )
    report: InsightsReport | None = answer.value
    options = [word for name, value in asked.items() for word in (f"--{name}", value)]
    return visit.draw(
        "insights.html",
        asked=asked,
        filters=_FILTERS,
        answer=answer,
        report=report,
        page=None if report is None else insights_page(report),
        kept=suggestions_part(suggestions(visit.session), report, selection),
        command=shlex.join(["arena", "insights", *options]),
    )


ROUTES = (("/insights", findings),)

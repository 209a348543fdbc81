"""What games cost: against the rating, by model, phase and purpose, and against budgets."""

from __future__ import annotations

from dataclasses import replace

from starlette.responses import Response

from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.stored import stored_answer
from arena.reports.cost import CostReport, cost_report
from arena.viewer.cost_page import bars, conclusion, cost_chart, many
from arena.viewer.pages.leaderboard import environment_options, tournament_options
from arena.viewer.scope import menu
from arena.viewer.visit import Visit
from db.queries.boards import board_state
from db.selection import Selection


def cost(visit: Visit) -> Response:
    """The costs of an environment's games, or of one tournament's."""
    asked = visit.asked("environment", "tournament")
    selection = Selection(environment=asked.get("environment"), tournament=asked.get("tournament"))
    query = LeaderboardQuery(selection)
    board_answer = stored_answer(visit.session, query)
    failed = None
    if visit.worker is not None and (board_answer is None or board_answer.behind):
        failed = visit.worker.ask(query)
    boards = () if board_answer is None else board_answer.boards
    board = boards[0] if boards else None
    chart = None if board is None else cost_chart(board)
    state = board_state(visit.session, selection).digest
    answer = visit.computed(
        f"cost {selection}", state, lambda session: cost_report(session, replace(selection))
    )
    report: CostReport | None = answer.value
    said, rests = conclusion(chart, board)
    menus = [
        menu(asked, "environment", "Environment", [(None, "all"), *environment_options(visit)]),
        menu(asked, "tournament", "Tournament", [(None, "all"), *tournament_options(visit)]),
    ]
    return visit.draw(
        "cost.html",
        asked=asked,
        board=board,
        boards=len(boards),
        waiting=board_answer is None and failed is None,
        failed=failed,
        chart=chart,
        said=said,
        rests=rests,
        answer=answer,
        report=report,
        bars=[] if report is None else bars(report),
        many=many,
        watched=visit.watching("all"),
        menus=[each for each in menus if len(each.chips) > 2 or each.chosen],
    )


ROUTES = (("/cost", cost),)

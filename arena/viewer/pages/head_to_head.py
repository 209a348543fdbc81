"""Who scored what against whom: a matrix, and one agent against each it met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import Response

from arena.core import UsageError
from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.meetings import counted_matrix
from arena.leaderboard.stored import stored_answer
from arena.stats.head_to_head import cells_of
from arena.viewer.matrix import drawn_matrix, drawn_row
from arena.viewer.pages.leaderboard import environment_options, tournament_options
from arena.viewer.scope import Menu, menu
from arena.viewer.visit import NotThere, Visit, number
from db.finding import find
from db.pairs import unit
from db.queries.agents import agent_names
from db.queries.pairs import CountedScope, counted_scopes, games_counted, opponents
from db.selection import Selection

_AT_ONCE = 30
"""Agents of a matrix at most: nobody reads a larger one, and it takes longer than a page may."""

_BY = ("agent", "role", "team")
_ORDERS = (("rating", "rating"), ("games", "games"), ("name", "name"))


def head_to_head(visit: Visit) -> Response:
    """The matrix of an environment's games, or of one tournament's."""
    asked = visit.asked("environment", "tournament", "by", "order", "agent", "from")
    by, order = asked.get("by", "agent"), asked.get("order", "rating")
    if by not in _BY:
        raise UsageError(f"by: expected agent, role or team, found {by!r}")
    if order not in dict(_ORDERS):
        raise UsageError(f"order: expected rating, games or name, found {order!r}")
    selection = Selection(environment=asked.get("environment"), tournament=asked.get("tournament"))
    scopes = counted_scopes(visit.session, selection)
    menus = _menus(visit, asked)
    if not scopes or not (known := [scope for scope in scopes if scope.games]):
        return visit.draw(
            "head_to_head.html", scope=None, counted=scopes is not None, menus=menus, asked=asked
        )
    scope = known[0]
    names = {key: row.name for key, row in agent_names(visit.session).items()}
    games = games_counted(visit.session, scope)
    agents = _ordered(visit, selection, scope, order, games, names)
    among = {"environment": scope.environment_id, "tournament": asked.get("tournament")}
    values: dict[str, Any] = {
        "scope": scope, "menus": menus, "asked": asked, "names": names, "among": among,
        "watched": visit.watching("all"), "others": known[1:], "agents": len(agents), "by": by,
    }  # fmt: skip
    if "agent" in asked:
        return visit.draw("head_to_head.html", **values, **_of_one(visit, scope, asked, names))
    first = number(asked["from"], "a row") if "from" in asked else 1
    shown = agents[max(first - 1, 0) : max(first - 1, 0) + _AT_ONCE]
    if not shown:
        raise NotThere(f"there is no agent {first:,} here: there are {len(agents):,}")
    found = counted_matrix(visit.session, scope, by, shown)  # type: ignore[arg-type]
    matrix = drawn_matrix(found, shown, names, by=by, asked=among, first=max(first, 1))
    return visit.draw(
        "head_to_head.html",
        matrix=matrix,
        before=max(first - _AT_ONCE, 1) if first > 1 else None,
        after=first + _AT_ONCE if first - 1 + _AT_ONCE < len(agents) else None,
        last=first - 1 + len(shown),
        **values,
    )


def _of_one(
    visit: Visit, scope: CountedScope, asked: Mapping[str, str], names: Mapping[int, str]
) -> dict[str, Any]:
    agent = find(visit.session, "agent", asked["agent"])[-1]
    whole = unit(scope.num_players)
    cells = {
        other: cells_of(count, whole)[0]
        for other, count in opponents(visit.session, scope, agent).items()
        if count.games
    }
    return {"agent": agent, "row": drawn_row(cells, names)}


def _ordered(
    visit: Visit,
    selection: Selection,
    scope: CountedScope,
    order: str,
    games: Mapping[int, int],
    names: Mapping[int, str],
) -> Sequence[int]:
    """The agents of a scope: those with the most games first, where nobody has stored a board."""
    by_name = sorted(games, key=lambda agent: (names.get(agent, ""), agent))
    if order == "name":
        return by_name
    by_games = sorted(by_name, key=lambda agent: -games[agent])
    if order == "games":
        return by_games
    query = LeaderboardQuery(selection)
    answer = stored_answer(visit.session, query)
    if answer is None and visit.worker is not None:
        visit.worker.ask(query)
    places: dict[int, int] = {}
    for board in () if answer is None else answer.boards:
        if board.environment_id == scope.environment_id:
            places |= {row.agent_id or 0: row.rank for row in board.rows}
    return sorted(by_games, key=lambda agent: places.get(agent, len(games) + 1))


def _menus(visit: Visit, asked: Mapping[str, str]) -> list[Menu]:
    environments, tournaments = environment_options(visit), tournament_options(visit)
    found = [
        menu(asked, "environment", "Environment", [(None, "most games"), *environments], _PLACE),
        menu(asked, "tournament", "Tournament", [(None, "all"), *tournaments], _PLACE),
        menu(
            asked,
            "by",
            "Against",
            [(None, "agents"), ("role", "others, by role"), ("team", "others, by team")],
            _PLACE,
        ),
        menu(
            asked,
            "order",
            "Order",
            [(None, "rating"), *_ORDERS[1:]],
            ("from",),
        ),
    ]
    return [each for each in found if len(each.chips) > 2 or each.chosen]


_PLACE = ("from", "agent")
ROUTES = (("/head-to-head", head_to_head),)

"""The models of the catalogue, and each of them."""

from __future__ import annotations

import json

from starlette.responses import Response

from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.part_profiles import listed_models, model_profile
from arena.leaderboard.places import listed_agents
from arena.viewer.agent_page import agent_tables
from arena.viewer.model_page import conclusion, model_boards, model_page
from arena.viewer.named import waiting_for, which
from arena.viewer.visit import Visit
from db import Repository
from db.queries.counters import behind
from db.selection import Selection

_AGENTS = 40
"""Agents in the page of a model."""
_QUERY = LeaderboardQuery(by="model")


def models(visit: Visit) -> Response:
    """What each model adds to an agent, how it answers and what it costs."""
    found, board = listed_models(visit.session)
    waiting, failed = waiting_for(visit, board, _QUERY)
    boards = model_boards(found, board.places)
    return visit.draw(
        "models.html",
        found=found,
        boards=boards,
        said=conclusion(len(found), boards),
        uncounted=behind(visit.session),
        waiting=waiting and any(each.usage for each in found),
        failed=failed,
    )


def model(visit: Visit) -> Response:
    """A model's settings, who answered under its name, its errors, times and cost."""
    session = visit.session
    key = which(visit, "model")
    row = Repository(session).get_model_by_id(key)
    assert row is not None
    profile = model_profile(session, key, row.name)
    waiting, failed = waiting_for(visit, profile.board, _QUERY)
    agents, _ = listed_agents(session, Selection(model=key))
    return visit.draw(
        "model.html",
        model=row,
        p=profile,
        page=model_page(row.name, profile),
        settings=[(name, json.dumps(value)) for name, value in row.params.items()],
        tables=agent_tables(agents[:_AGENTS]),
        left=len(agents) > _AGENTS,
        waiting=waiting and profile.usage is not None,
        failed=failed,
    )


ROUTES = (("/models", models), ("/model/{model:path}", model))

"""The agents of the catalogue, and each of them."""

from __future__ import annotations

import json
from typing import Any

from starlette.responses import Response

from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.places import listed_agents
from arena.leaderboard.profiles import agent_profile
from arena.reports.agent import agent_report
from arena.reports.memory import remembered
from arena.viewer.agent_page import SHARES, agent_page, agent_tables
from arena.viewer.named import waiting_for, which
from arena.viewer.visit import Visit, number
from db import Repository
from db.queries.games import games
from db.selection import Selection
from db.versions import versioned

_ROWS = 200


def agents(visit: Visit) -> Response:
    """The agents of the catalogue, by kind, model or prompt where these are asked for."""
    asked = visit.asked("kind", "model", "prompt")
    words: dict[str, Any] = {**asked}
    listed, board = listed_agents(visit.session, Selection(**words))
    after = number(visit.query.get("after", "0"), "a row")
    waiting, failed = waiting_for(visit, board, LeaderboardQuery())
    shown = listed[after : after + _ROWS]
    return visit.draw(
        "agents.html",
        asked=asked,
        listed=shown,
        total=len(listed),
        start=after,
        following=after + _ROWS if after + _ROWS < len(listed) else None,
        tables=agent_tables(shown),
        waiting=waiting,
        failed=failed,
    )


def agent(visit: Visit) -> Response:
    """How good an agent is, at what, against whom, and what it costs."""
    session = visit.session
    key = which(visit, "agent")
    repository = Repository(session)
    row = repository.get_agent_by_id(key, with_relations=True)
    assert row is not None
    profile = agent_profile(session, key)
    waiting, failed = waiting_for(visit, profile.board, LeaderboardQuery())
    versions = repository.get_agent_versions(versioned(row.alias).name) if row.alias else []
    newest = games(session, Selection(game=profile.newest)) if profile.newest else []
    return visit.draw(
        "agent.html",
        agent=agent_report(row),
        model_id=row.model_id,
        prompt_id=row.prompt_id,
        page=agent_page(row.label, profile),
        p=profile,
        memories=remembered(session, key, row.kind.name),
        shares=SHARES,
        settings=[(name, json.dumps(value)) for name, value in row.model.params.items()],
        text=row.prompt.content,
        versions=[(each.id, each.label) for each in versions],
        newest=newest,
        waiting=waiting and bool(profile.curves),
        failed=failed,
    )


ROUTES = (
    ("/agents", agents),
    ("/agent/{agent:path}", agent),
)

"""The agents of the catalogue, and each of them."""

from __future__ import annotations

import json

from starlette.responses import Response

from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.profiles import agent_profile
from arena.reports.agent import agent_report
from arena.reports.game import result_of
from arena.viewer.agent_page import SHARES, agent_page
from arena.viewer.named import waiting_for, which
from arena.viewer.visit import Visit
from db import Repository
from db.queries.games import games
from db.selection import Selection
from db.versions import versioned

_NEWEST = 12


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
    played = games(session, Selection(agent=key), limit=_NEWEST)
    return visit.draw(
        "agent.html",
        agent=agent_report(row),
        model_id=row.model_id,
        prompt_id=row.prompt_id,
        page=agent_page(row.label, profile),
        p=profile,
        shares=SHARES,
        settings=[(name, json.dumps(value)) for name, value in row.model.params.items()],
        text=row.prompt.content,
        versions=[(each.id, each.label) for each in versions],
        newest=[(each, result_of(each)) for each in played],
        waiting=waiting and bool(profile.curves),
        failed=failed,
    )


ROUTES = (("/agent/{agent:path}", agent),)

"""The prompts as a tree of forks, and each of them beside its parent."""

from __future__ import annotations

from starlette.responses import Response

from arena.core.prompts import VARIABLES, used
from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.profiles import listed_agents, part_places, stored_places
from arena.reports.word_diff import word_diff
from arena.viewer.agent_page import agent_tables
from arena.viewer.named import waiting_for, which
from arena.viewer.prompt_page import (
    change_axis,
    changed,
    drawn_trees,
    said_change,
    shown_pieces,
    verdict,
)
from arena.viewer.visit import Visit
from db import Repository
from db.queries.prompts import prompt_tree
from db.selection import Selection

_MOST = 300
"""Prompts in a page."""
_AGENTS = 40
"""Agents in the page of a prompt."""


def prompts(visit: Visit) -> Response:
    """Every prompt after the one it was forked from, with what each fork changed."""
    tree = prompt_tree(visit.session)
    query = LeaderboardQuery(by="prompt")
    board = stored_places(visit.session, query, lambda row: True)
    waiting, failed = waiting_for(visit, board, query)
    return visit.draw(
        "prompts.html",
        trees=drawn_trees(tree[:_MOST], board.places),
        total=len(tree),
        most=_MOST,
        waiting=waiting,
        failed=failed,
        forks=sum(fork.parent_id is not None for fork in tree),
    )


def prompt(visit: Visit) -> Response:
    """A prompt's text beside its parent's, and what that did to the rating."""
    session = visit.session
    key = which(visit, "prompt")
    repository = Repository(session)
    row = repository.get_prompt_by_id(key)
    assert row is not None
    tree = prompt_tree(session)
    own = next(fork for fork in tree if fork.prompt_id == key)
    board = part_places(session, "prompt", row.name)
    waiting, failed = waiting_for(visit, board, LeaderboardQuery(by="prompt"))
    parent = None if row.forked_from is None else repository.get_prompt_by_id(row.forked_from)
    pieces = [] if parent is None else word_diff(parent.content, row.content)
    places = sorted(board.places, key=lambda place: -place.row.record.whole.games)
    agents, _ = listed_agents(session, Selection(prompt=key))
    scale = change_axis([place.row.change for place in places if place.row.change])
    first = places[0].row if places else None
    said = row.name
    if parent is not None:
        change = first.change if first else None
        said = verdict(row.name, parent.name, change, rated=first is not None)
    return visit.draw(
        "prompt.html",
        prompt=row,
        own=own,
        parent=parent,
        said=said,
        changed=said_change(pieces),
        pieces=shown_pieces(pieces),
        places=[
            (place, None if (c := place.row.change) is None else changed(c, scale))
            for place in places
        ],
        scale=scale,
        variables=[(name, VARIABLES.get(name)) for name in used(row.content)],
        forks=[fork for fork in tree if fork.parent_id == key],
        line=repository.get_prompt_lineage(key)[1:][::-1],
        tables=agent_tables(agents[:_AGENTS]),
        left=len(agents) > _AGENTS,
        waiting=waiting,
        failed=failed,
    )


ROUTES = (("/prompts", prompts), ("/prompt/{prompt:path}", prompt))

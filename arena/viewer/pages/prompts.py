"""The prompts as a tree of forks, and each of them beside its parent."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response

from arena.core.prompts import VARIABLES
from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.part_profiles import prompt_profile
from arena.leaderboard.places import stored_places
from arena.viewer.agent_page import agent_tables
from arena.viewer.named import waiting_for, which
from arena.viewer.prompt_page import (
    change_axis,
    changed,
    conclusion,
    drawn_trees,
    said_change,
    shown_pieces,
    verdict,
)
from arena.viewer.visit import Visit
from db import Session
from db.queries.agents import prompt_texts
from db.queries.prompts import PromptFork, prompt_tree

_MOST = 300
"""Prompts in a page."""
_COMPARED = 80
"""Prompts whose texts the tree compares at most."""
_LONG = 6_000
"""Characters of a text that is compared at most."""
_AGENTS = 40
"""Agents in the page of a prompt."""


def prompts(visit: Visit) -> Response:
    """Every prompt after the one it was forked from, with what each fork changed."""
    tree = prompt_tree(visit.session)
    shown = tree[:_MOST]
    texts = _short_texts(visit.session, shown)
    query = LeaderboardQuery(by="prompt")
    board = stored_places(visit.session, query, lambda row: True)
    waiting, failed = waiting_for(visit, board, query)
    return visit.draw(
        "prompts.html",
        trees=drawn_trees(shown, board.places, texts),
        said=conclusion(tree, board.places),
        total=len(tree),
        most=_MOST,
        waiting=waiting,
        failed=failed,
        forks=sum(fork.parent_id is not None for fork in tree),
    )


def _short_texts(session: Session, shown: Sequence[PromptFork]) -> dict[int, str]:
    """The texts of the first forks and of what they were forked from, but for long ones."""
    lengths = {fork.prompt_id: fork.characters for fork in shown}
    wanted: set[int] = set()
    for fork in shown:
        if fork.parent_id is not None and len(wanted) < _COMPARED:
            wanted |= {fork.prompt_id, fork.parent_id}
    return prompt_texts(session, [key for key in wanted if lengths.get(key, _LONG) < _LONG])


def prompt(visit: Visit) -> Response:
    """A prompt's text beside its parent's, and what that did to the rating."""
    session = visit.session
    key = which(visit, "prompt")
    profile = prompt_profile(session, key)
    waiting, failed = waiting_for(visit, profile.board, LeaderboardQuery(by="prompt"))
    places = sorted(profile.board.places, key=lambda place: -place.row.record.whole.games)
    scale = change_axis([place.row.change for place in places if place.row.change])
    return visit.draw(
        "prompt.html",
        p=profile,
        said=verdict(profile, places[0].row if places else None),
        changed=said_change(profile.difference),
        pieces=shown_pieces(profile.difference),
        places=[
            (place, None if (c := place.row.change) is None else changed(c, scale))
            for place in places
        ],
        scale=scale,
        variables=[(name, VARIABLES.get(name)) for name in profile.variables],
        tables=agent_tables(profile.agents[:_AGENTS]),
        left=len(profile.agents) > _AGENTS,
        waiting=waiting and bool(profile.agents),
        failed=failed,
    )


ROUTES = (("/prompts", prompts), ("/prompt/{prompt:path}", prompt))

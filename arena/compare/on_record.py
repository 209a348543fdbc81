"""Comparisons that were played: which there are of two agents, and what each says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arena.compare.answer import Comparison, answer_in
from arena.config.restored import restored
from arena.core import UsageError
from arena.matchmakers.duel import DuelOptions
from db import Repository, Session


@dataclass(frozen=True, slots=True)
class PlayedDuel:
    """A comparison on record: its tournament, what it tests and whether it has come to its end."""

    tournament_id: int
    tournament: str
    environment: str
    test: str
    finished: bool


def duels(session: Session, a: str, b: str) -> list[PlayedDuel]:
    """Those of two agents, by their names in either order, the newest first."""
    found = []
    for row in Repository(session).get_tournaments():
        config: Mapping[str, Any] = row.config
        rule = dict(config.get("matchmaker") or {})
        names = [agent.get("name") for agent in config.get("agents") or ()]
        if rule.get("name") == "duel" and {*names[:2]} == {a, b}:
            found.append(
                PlayedDuel(
                    row.id or 0,
                    row.name,
                    str(dict(config.get("environment") or {}).get("name", "")),
                    str(rule.get("test", DuelOptions().test)),
                    row.status == "finished",
                )
            )
    return sorted(found, key=lambda duel: -duel.tournament_id)


def on_record(session: Session, name: str) -> Comparison:
    """What the tournament of this name says so far. Raises UsageError for one that is not on record
    or is no comparison, and what `answer` raises."""
    row = Repository(session).get_tournament_by_name(name)
    if row is None:
        raise UsageError(f"there is no tournament {name!r}: `arena tournaments list`")
    if dict(row.config.get("matchmaker") or {}).get("name") != "duel":
        raise UsageError(f"the tournament {name!r} is no comparison: `arena compare` plays one")
    return answer_in(session, restored(row.config, row.settings))

"""Whether a configuration continues the tournament that is on record under its name, and how."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from arena.config import TournamentConfig
from arena.core import Pairing
from arena.orchestrator import schedule
from arena.orchestrator.preflight import Prepared
from db import Repository, Tournament
from db.live import run_now
from db.queries.uses import has_answers

Change = Literal["none", "agents", "games", "all"]

_OF_AGENTS = ("kind", "model", "prompt", "options", "vars")


@dataclass(frozen=True, slots=True)
class Continuation:
    """A tournament on record and what has changed in it since: nothing; only what its models,
    prompts and agents are made of; how many games it has (and perhaps that too); or anything else,
    which only one that nobody has answered in allows: it is scheduled `anew`. `config` has the
    version of the matchmaker's rule by which it is played."""

    tournament: Tournament
    config: TournamentConfig
    change: Change
    answered: bool

    @property
    def anew(self) -> bool:
        return self.change == "all"


def continuation(repo: Repository, prepared: Prepared) -> Continuation | None:
    """How the configuration continues the tournament of its name; None where there is none. Reads
    only. Raises ConfigError for a change that a tournament with answers does not allow, and for any
    while it is run."""
    config, wanted = prepared.config, by_newest(prepared)
    found = repo.get_tournament_by_name(config.name)
    if found is None:
        return None
    assert found.id is not None
    if found.config_hash == wanted.config_hash:
        return Continuation(found, wanted, "none", answered=True)
    if wanted is not config and found.config_hash == config.config_hash:
        return Continuation(found, config.by_version(1), "none", answered=True)
    answered = has_answers(repo.session, found.id)
    if wanted is not config and answered:
        # A tournament is played to its end by the rule that it was begun with.
        rule = found.config.get("matchmaker", {})
        wanted = config.by_version(rule.get("version", 1))
    if found.id in run_now(repo.session):
        raise config.error(
            f"the tournament {config.name!r} is being run with another configuration "
            f"({_difference(found.config, wanted.canonical())}): stop that run first",
            "name",
        )
    change = _change(found.config, wanted.canonical())
    if change in ("all", "games") and not answered:
        return Continuation(found, wanted, "all", answered=False)
    if change == "all":
        # Not what would be continued with.
        before, now = _frame(found.config), _frame(wanted.canonical())
        raise config.error(
            f"the tournament {config.name!r} is in the database with another configuration "
            f"({_difference(before | {'games': 0}, now | {'games': 0})}): {_instead(config.name)}",
            "name",
        )
    if change == "games":
        _check_growing(prepared, found)
    return Continuation(found, wanted, change, answered)


def by_newest(prepared: Prepared) -> TournamentConfig:
    """The configuration with the version of its matchmaker's rule: unless it is said, the newest,
    where there is more than one."""
    config = prepared.config
    newest = prepared.matchmaker(range(1, len(config.agents) + 1)).version
    unsaid = newest > 1 and "version" not in config.matchmaker.options
    return config.by_version(newest) if unsaid else config


def changed(known: Continuation) -> str:
    """The first place where the configuration is not what is on record."""
    return _difference(known.tournament.config, known.config.canonical()) or "its agents"


def _change(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> Change:
    before, now = _frame(stored), _frame(wanted)
    if before == now:
        return "agents"
    games = before.pop("games", None) != now.pop("games", None)
    return "games" if games and before == now else "all"


def _frame(canonical: Mapping[str, Any]) -> dict[str, Any]:
    """A tournament without what its agents are made of."""
    frame = {name: value for name, value in canonical.items() if name not in ("models", "prompts")}
    frame["agents"] = [
        {name: value for name, value in agent.items() if name not in _OF_AGENTS}
        for agent in canonical.get("agents", ())
    ]
    return frame


def _check_growing(prepared: Prepared, found: Tournament) -> None:
    """Raises ConfigError for another number of games where that makes another tournament."""
    config, before = prepared.config, found.games
    said = f"games is {config.games}, was {before}"
    matchmaker = prepared.matchmaker(range(1, len(config.agents) + 1))
    why = None
    if config.games < before:
        why = f"it may only grow (--games {config.games} plays as many at a time)"
    elif config.pool is not None:
        why = f"the pool {config.pool.name!r} is frozen, and so are its games"
    elif not matchmaker.extends:
        why = (
            f"what {config.matchmaker.name!r} plays depends on their number, as a comparison's "
            "error rates do"
        )
    if why is not None:
        raise config.error(
            f"the tournament {config.name!r} is in the database with another configuration "
            f"({said}): {why}; {_instead(config.name)}",
            "games",
        )


def grown(
    repo: Repository, prepared: Prepared, known: Continuation, agents: Sequence[int]
) -> Sequence[Pairing]:
    """The pairings that follow those on record, where none waits for a result. Raises ConfigError
    where the longer schedule does not begin with the shorter one."""
    assert known.tournament.id is not None
    if prepared.matchmaker(agents).lag is not None:
        return ()
    past = schedule.history(repo.session, known.tournament.id).scheduled
    with prepared.config.at("games"):
        following = prepared.begin(agents)
    if [*following[: len(past)]] != [*past]:
        raise prepared.config.error(
            f"the tournament {prepared.config.name!r} has {len(past)} games on record, and the "
            f"schedule of {prepared.config.games} does not begin with them: "
            f"{_instead(prepared.config.name)}",
            "games",
        )
    return following[len(past) :]


def _instead(name: str) -> str:
    return (
        "give this one another name, undo the change to resume it, or begin anew after "
        f"`arena tournaments delete {shlex.quote(name)}`"
    )


def _difference(stored: object, wanted: object, place: str = "") -> str:
    """The first place where two plain values differ, for people."""
    if isinstance(stored, dict) and isinstance(wanted, dict):
        for key in sorted({*stored, *wanted}):
            if stored.get(key) != wanted.get(key):
                return _difference(stored.get(key), wanted.get(key), f"{place}.{key}".lstrip("."))
    if isinstance(stored, list) and isinstance(wanted, list) and len(stored) == len(wanted):
        for index, (before, after) in enumerate(zip(stored, wanted, strict=True)):
            if before != after:
                return _difference(before, after, f"{place}[{index}]")
    if isinstance(stored, list) and isinstance(wanted, list):
        return f"{place} has {len(wanted)} entries, was {len(stored)}"
    return f"{place} is {_short(wanted)}, was {_short(stored)}"


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."

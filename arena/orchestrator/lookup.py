"""Finds in the catalogue what a person calls an agent or an environment, or says what is near."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arena import registry
from arena.core import Part, UsageError, prompts
from arena.core.rules_options import held
from arena.orchestrator.casting import casting
from db import Agent, Environment, Repository
from db.errors import BadSelection
from db.finding import find
from db.models.tournaments import REFEREE
from db.queries.agents import rated_environments
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class Rules:
    """An environment: what a tournament file says of it, and the key of its row in the catalogue
    if it was played. `others` of that name and number of players are on record too, which this one
    is the newest of. `why` says why it was chosen, where nobody named it and others were played."""

    written: dict[str, Any]
    key: int | None = None
    others: int = 0
    why: str | None = None

    @property
    def name(self) -> str:
        return str(self.written["name"])

    def notes(self) -> list[str]:
        """What people should know about the choice of these rules."""
        found = [] if self.why is None else [self.why]
        if self.others:
            found.append(
                f"{self.name} is on record by {self.others} other rules too (options, limits or "
                "version): their games do not count here"
            )
        return found

    @property
    def players(self) -> int:
        return int(self.written["players"])

    def parts(self) -> Sequence[Part]:
        """The parts of a game of these rules: which teams it has, of how many players. Raises
        UsageError for rules that are not installed or cannot be played."""
        options = held(self.name, self.written.get("options", {}), Path.cwd())
        make = registry.environment(self.name, options)
        return casting(make, self.players)(0)


def find_agent(repo: Repository, name: str) -> Agent:
    """An agent of the catalogue by its name or number. Raises BadSelection with the nearest."""
    agent = repo.get_agent_by_id(find(repo.session, "agent", name)[-1], with_relations=True)
    assert agent is not None
    return agent


def rules_of(
    repo: Repository,
    environment: str | None,
    players: int | None,
    agents: Sequence[int | None] = (),
) -> Rules:
    """The environment that was asked for by name or number, or the only possible one: which was
    played by that number of players, by all of the `agents` (their keys) where some were played by
    all of them, else by any of them. Raises UsageError where several are possible."""
    rows = list(repo.get_environments())
    why = None
    if environment is not None:
        try:
            chosen = find(repo.session, "environment", environment)
        except BadSelection:
            # It may be installed, and not be played yet.
            chosen = ()
        rows = [row for row in rows if row.id in chosen]
    elif len({row.name for row in rows}) != 1:
        rows, why = _possible(repo, rows, players, [agent for agent in agents if agent])
    if players is not None:
        rows = [row for row in rows if row.num_players == players]
    if not rows:
        return _unplayed(environment, players, [row.name for row in repo.get_environments()])
    numbers = sorted({row.num_players for row in rows})
    if len(numbers) > 1:
        raise UsageError(
            f"{rows[0].name} was played by {' and by '.join(map(str, numbers))}: say --players N"
        )
    return replace(of_row(repo, rows[-1]), others=len(rows) - 1, why=why)


def _possible(
    repo: Repository, rows: Sequence[Environment], players: int | None, agents: Sequence[int]
) -> tuple[list[Environment], str]:
    """The rows of the only environment that is possible, and why it is. Raises UsageError."""
    played = rated_environments(repo.session, agents).values()
    there = {row.id for row in rows if players in (None, row.num_players)}
    both = "both" if len(agents) == 2 else f"all {len(agents)} agents"
    ways = [(there, f"of {players} players that were played")] if players is not None else []
    if agents:
        ways += [
            (there.intersection(*played), f"that {both} have played"),
            (there & set().union(*played), f"that either of {both} has played"),
        ]
    for keys, which in ways:
        names = {row.name for row in rows if row.id in keys}
        if len(names) == 1:
            only = names.pop()
            why = f"{only} is the only environment {which}; --environment E asks for another"
            return [row for row in rows if row.id in keys], why
        if names:
            rows = [row for row in rows if row.id in keys]
    known = sorted({row.name for row in rows})
    said = f"were played: {', '.join(known)}" if known else "none was played yet"
    raise UsageError(f"in which environment? Say --environment NAME ({said})")


def rules_of_games(
    repo: Repository,
    selection: Selection,
    environment: str | None,
    players: int | None,
    agents: Sequence[int | None] = (),
) -> Rules:
    """As `rules_of`; where the selection names tournaments, their environment. Raises UsageError
    for tournaments of several, and of another than was asked for."""
    tournaments = selection.on(repo.session).named.get("tournament", {})
    rows = [row for key in tournaments if (row := repo.get_tournament_by_id(key)) is not None]
    if not rows:
        return rules_of(repo, environment, players, agents)
    for row in rows:
        if environment not in (None, row.environment.name):
            raise UsageError(
                f"the tournament {row.name!r} is of {row.environment.name}: leave out --environment"
            )
        if row.environment_id != rows[0].environment_id:
            raise UsageError(
                f"the tournaments {rows[0].name!r} and {row.name!r} are not of one environment: "
                "agents are told apart in one"
            )
    return of_row(repo, rows[0].environment)


def of_row(repo: Repository, row: Environment) -> Rules:
    """The rules of a row of the catalogue."""
    options = dict(row.options)
    written: dict[str, Any] = {"name": row.name, "players": row.num_players}
    for limit in ("turn_limit", "time_limit", "overflow"):
        if (value := options.pop(limit, None)) is not None:
            written[limit] = value
    if (key := options.pop(REFEREE, None)) is not None:
        written[REFEREE] = _written_referee(repo, key)
    written["options"] = options
    return Rules(written, row.id)


def _written_referee(repo: Repository, key: int) -> dict[str, Any]:
    """A referee as a tournament file says it, by names of the catalogue."""
    row = repo.get_agent_by_id(key, with_relations=True)
    assert row is not None
    options, beside = prompts.parted(row.options)
    return {
        "name": row.label,
        "kind": row.kind.name,
        "model": row.model.name,
        "prompt": row.prompt.name,
        "options": options,
        **beside,
    }


def _unplayed(name: str | None, players: int | None, played: Sequence[str]) -> Rules:
    installed = registry.names("environments")
    if name is None or name not in installed:
        known = sorted({*installed, *played})
        wanted = name or f"{played[0]} of {players} players"
        raise UsageError(registry.unknown("environment", wanted, known))
    spec = registry.environment(name, {})().spec
    if players is None and spec.min_players != spec.max_players:
        raise UsageError(
            f"{name} is played by {spec.min_players} to {spec.max_players}: say --players N"
        )
    players = players or spec.min_players
    if not spec.min_players <= players <= spec.max_players:
        raise UsageError(
            f"{name} is played by {spec.min_players} to {spec.max_players}, found --players "
            f"{players}"
        )
    return Rules({"name": name, "players": players})


def team_sizes(parts: Sequence[Part]) -> list[int]:
    """How many players each team has, where every player is in one; else a team for each."""
    teams = [part.team for part in parts]
    if None in teams:
        return [1] * len(teams)
    return [teams.count(team) for team in dict.fromkeys(teams)]

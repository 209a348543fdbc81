"""Reads from the record what games took: of the same environment, of the same agents, and of the
same models in others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from arena.core import AgentSpec, prompts
from arena.llm.scripted.policies import is_scripted
from arena.orchestrator.catalogue import environment_options
from arena.orchestrator.preflight import Prepared
from db import Environment, Kind, Model, Prompt, Repository, Session
from db.queries.game_usage import SeatUsage, finished_games, players_of, seat_usage
from db.repository.agents import fingerprint
from db.versions import versioned

# The newest games of each sort: enough for an estimate, and few enough to be read in a moment.
_OF_ENVIRONMENT, _OF_AGENTS, _OF_MODEL = 200, 100, 30


@dataclass(frozen=True, slots=True)
class PastUsage:
    """Games on record: their `seats`, those of void attempts at the same places too, and their
    `players` (agents by fingerprint, in order of player_index) by game_id. `environments` are
    named by environment_id, `current` is the one with exactly these rules, `tournament` the one to
    be played, both None where they are not on record."""

    seats: Sequence[SeatUsage] = ()
    players: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    environments: Mapping[int, str] = field(default_factory=dict)
    current: int | None = None
    tournament: int | None = None


def past_usage(
    session: Session,
    prepared: Prepared,
    agents: Mapping[int, AgentSpec],
    marks: Mapping[int, str],
    before: datetime | None = None,
) -> PastUsage:
    """What the newest games took that ended `before` a time: at most 200 of the environment by its
    name, 100 of them with these agents (`marks` are their fingerprints), and 30 of each of their
    models anywhere."""
    config, repo = prepared.config, Repository(session)
    name = config.environment.name
    asked = {agent.model.litellm_model for agent in agents.values() if not is_scripted(agent.model)}
    if not asked:
        return PastUsage()
    games = {
        *finished_games(session, limit=_OF_ENVIRONMENT, before=before, environment=name),
        *finished_games(
            session, limit=_OF_AGENTS, before=before, environment=name, agents=[*marks.values()]
        ),
    }
    for model in sorted(asked):
        games.update(finished_games(session, limit=_OF_MODEL, before=before, model=model))
    environments = repo.get_environments()
    tournament = repo.get_tournament_by_name(config.name)
    return PastUsage(
        seats=seat_usage(session, games),
        players=players_of(session, games),
        environments={row.id or 0: row.name for row in environments},
        current=next((row.id for row in environments if _same(row, prepared)), None),
        tournament=None if tournament is None else tournament.id,
    )


def _same(row: Environment, prepared: Prepared) -> bool:
    rules = prepared.config.environment
    return (
        row.name == rules.name
        and row.num_players == rules.players
        and row.options == environment_options(prepared.config)
        and (row.package, row.version) == (prepared.spec.package, prepared.spec.version)
    )


def marks_of(agents: Mapping[int, AgentSpec], repo: Repository | None) -> dict[int, str]:
    """The fingerprints of agents: of the latest version on record by that name that is the same but
    for the version of its kind (a tournament is played to its end by the one it was begun with)."""
    found: dict[int, str] = {}
    for number, agent in agents.items():
        rows = [] if repo is None else repo.get_agent_versions(versioned(agent.name).name)
        kinds = [
            row.kind.version for row in rows if _mark(agent, row.kind.version) == row.fingerprint
        ]
        found[number] = _mark(agent, kinds[-1] if kinds else agent.kind_version)
    return found


def _mark(agent: AgentSpec, kind_version: int) -> str:
    model = agent.model
    return fingerprint(
        Kind(name=agent.kind, version=kind_version),
        Model(
            name=model.name,
            litellm_model_name=model.litellm_model,
            params=dict(model.params),
            api_base=model.api_base,
            system=None if model.system == "system" else model.system,
        ),
        Prompt(name="", content=agent.prompt, content_hash=""),
        prompts.stored(
            agent.options,
            {
                "vars": agent.vars,
                "tools": [*agent.tools],
                "tool_limits": agent.tool_limits,
            },
        ),
    )

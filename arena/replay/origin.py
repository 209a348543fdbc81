"""Reads the game that is branched and checks everything before a row is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from arena import registry
from arena.config import TournamentConfig, restored
from arena.core import ConfigError, UsageError
from arena.core.memory import Memory
from arena.game.replayed import RecordedTurn
from arena.game.task import GameTask
from arena.llm.client import Client
from arena.orchestrator.clients import check_capped, client_for
from arena.orchestrator.preflight import check_stored_model
from arena.orchestrator.shared_budget import Caps, caps_of
from arena.orchestrator.versions import CatalogueEntry, played_as
from arena.record.reading import recorded
from arena.replay.effects import score
from arena.replay.lineage import Generation, Lineage, lineage, own_options, replies, task
from db import Game, Repository, Session
from db.finding import find
from db.queries.archived_games import refuse_archived

# Where a game has no limit on record: as high as a configuration may set it.
_LONGEST_GAME = 65_536


@dataclass(frozen=True, slots=True)
class Origin:
    """The game that is branched, read and checked: what its branches share.

    `agents` and `tasks` are those of the controls (True) and of the branches (False): a task begins
    with the turns before the branch. `player` is the first whose place is given away; `recorded`
    its score in the game. `seated` are the agents of `seats`, by player_index; `caps` is what the
    branches may spend.
    """

    game_id: int
    turn: int
    seats: Mapping[int, str]
    environment_id: int
    lineage: Lineage
    agents: Mapping[bool, tuple[int, ...]]
    tasks: Mapping[bool, GameTask]
    player: int
    team: str | None
    recorded: float | None
    seated: Mapping[int, int]
    tournament_id: int | None
    config: TournamentConfig | None
    client: Client
    caps: Caps

    def task(self, game_id: int, number: int, *, control: bool) -> GameTask:
        """One of its branches from its beginning; its `number` tells it from the others of the same
        game and turn."""
        generation = Generation(game_id, self.turn, number, self.agents[control])
        seeds = self.lineage.branched(generation).call_seeds()
        return replace(self.tasks[control], call_seeds=seeds, copied=True)


def read_origin(
    session: Session,
    game_id: int,
    turn: int,
    seats: Mapping[int, str],
    *,
    control: bool,
    keep_answers: bool = False,
    budget: float | None = None,
    uncapped: bool = True,
) -> Origin:
    """Read and check a game for `arena.replay.branch.branch`. Raises UsageError,
    DatabaseError for an archived one."""
    game = Repository(session).get_game_by_id(game_id, with_relations=True)
    if game is None:
        raise UsageError(f"there is no game {game_id}; `arena games` lists them")
    if game.status != "completed":
        raise UsageError(f"game {game_id} is {game.status}: only a completed game can be branched")
    refuse_archived(session, game_id, "and cannot be branched")
    rules = game.environment
    if rules is None or rules.id is None:
        raise UsageError(f"game {game_id} has no environment on record: it cannot be played again")
    spec = registry.environment(rules.name, own_options(rules))().spec
    if (spec.package, spec.version) != (rules.package, rules.version):
        raise UsageError(
            f"game {game_id} was played by the rules of {rules.package} {rules.version}, "
            f"installed are {spec.package} {spec.version}"
        )
    of = lineage(session, game)
    turns = [turn for turn in recorded(replies(session, of)) if turn.action is not None]
    if not 0 <= turn < len(turns):
        raise UsageError(f"game {game_id} has turns 0 to {len(turns) - 1}, found turn {turn}")
    staying = of.generations[-1].agents
    agents = {False: _swapped(session, game_id, staying, seats)}
    if control:
        agents[True] = staying
    tasks = {
        which: replace(
            task(
                session,
                of.branched(Generation(0, turn, 0, seated)),
                rules,
                turns[:turn],
                _LONGEST_GAME,
            ),
            memories=_memories(turns, staying, seated),
        )
        for which, seated in agents.items()
    }
    config = _config(session, game)
    client = client_for(config, keep_answers=keep_answers)
    playing = [sitters[-1].agent for branched in tasks.values() for sitters in branched.seats]
    tooled = {agent.model.name for agent in playing if agent.tools}
    models = {agent.model.name: agent.model for agent in playing}
    for model in models.values():
        check_stored_model(client, model, tooled=model.name in tooled)
    caps = caps_of(config, budget)
    if caps.any or not uncapped:
        check_capped(client, models.values(), capped=caps.any)
    player = min(seats)
    results = {row.player_index: (row.team, row.rank) for row in game.players}
    return Origin(
        game_id=game_id,
        turn=turn,
        seats=dict(seats),
        environment_id=rules.id,
        lineage=of,
        agents=agents,
        tasks=tasks,
        player=player,
        team=results[player][0],
        recorded=None if results[player][1] is None else score(results, player),
        seated={index: agents[False][index] for index in seats},
        tournament_id=_root(session, game).tournament_id,
        config=config,
        client=client,
        caps=caps,
    )


def _memories(
    turns: Sequence[RecordedTurn], before: Sequence[int], now: Sequence[int]
) -> tuple[Memory | None, ...]:
    """What those who stay were given of earlier games; one that comes new knows of none."""
    firsts = {turn.player_index: turn.memory for turn in reversed(turns)}
    return tuple(
        firsts.get(player) if was == is_ else None
        for player, (was, is_) in enumerate(zip(before, now, strict=True))
    )


def _swapped(
    session: Session, game_id: int, staying: tuple[int, ...], seats: Mapping[int, str]
) -> tuple[int, ...]:
    if not seats:
        raise UsageError("say who plays on: a player and the name of its new agent")
    swapped = list(staying)
    for player, name in seats.items():
        if not 0 <= player < len(staying):
            raise UsageError(
                f"game {game_id} has players 0 to {len(staying) - 1}, found player {player}"
            )
        agent_id = find(session, "agent", name)[-1]
        if agent_id == staying[player]:
            raise UsageError(
                f"player {player} of game {game_id} is {name!r} already: choose another agent"
            )
        swapped[player] = agent_id
    return tuple(swapped)


def _root(session: Session, game: Game) -> Game:
    """The game of a tournament that a branch of branches comes from in the end."""
    while game.parent_game_id is not None:
        parent = Repository(session).get_game_by_id(game.parent_game_id)
        if parent is None:
            break
        game = parent
    return game


def _config(session: Session, game: Game) -> TournamentConfig | None:
    """That of the tournament: its branches are played as patiently, and within its limits.
    None where there is none, or it is the row of another release."""
    key = _root(session, game).tournament_id
    tournament = None if key is None else Repository(session).get_tournament_by_id(key)
    if tournament is None:
        return None
    try:
        config = restored(tournament.config, tournament.settings)
    except ConfigError:
        return None
    # What it says of a model is said of the version that plays in it.
    begun = CatalogueEntry(Repository(session), config, {}, key).begun()
    rows = [row for row in begun if row is not None]
    if (judge := tournament.environment.referee_id) is not None:
        row = Repository(session).get_agent_by_id(judge, with_relations=True)
        rows += [] if row is None else [row]
    return played_as(config, rows) if len(rows) == len(config.everybody) else config

"""Reads the game that is branched, and makes the rows and the tasks of its branches.

Everything is checked before a row is written; an abandoned branch is void.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from arena import registry
from arena.config import TournamentConfig, restored
from arena.core import ConfigError, UsageError, VoidCause
from arena.game.task import GameTask
from arena.llm.cache import Answers
from arena.llm.costs.budget import Budget
from arena.orchestrator.clients import ModelAccess, check_capped, client_for, limits_for
from arena.orchestrator.preflight import check_stored_model
from arena.record.reading import recorded
from arena.replay.lineage import Generation, Lineage, lineage, own_options, replies, task
from db import Game, Repository, Session
from db.queries.spending import spent_in_all
from db.selection import find

# Where a game has no limit on record: as high as a configuration may set it.
_LONGEST_GAME = 65_536


@dataclass(frozen=True, slots=True)
class Branch:
    """One branch to play: its row, its number among those of the same game and turn, and whether
    it is a control, with the agents that played."""

    game_id: int
    number: int
    control: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """The game that is branched, read and checked: what its branches share.

    `agents` and `tasks` are those of the controls (True) and of the branches (False): a task begins
    with the turns before the branch. `player` is the first whose place is given away; `recorded`
    its score in the game.
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
    models: ModelAccess

    def task(self, own: Branch) -> GameTask:
        """One of its branches."""
        generation = Generation(own.game_id, self.turn, own.number, self.agents[own.control])
        seeds = self.lineage.branched(generation).call_seeds()
        return replace(self.tasks[own.control], call_seeds=seeds, copied=True)


def read_origin(
    session: Session,
    game_id: int,
    turn: int,
    seats: Mapping[int, str],
    *,
    control: bool,
    answers: Answers | None = None,
    budget: float | None = None,
    uncapped: bool = True,
) -> Origin:
    """Read and check a game for `arena.replay.branch.branch`. Raises UsageError."""
    game = Repository(session).get_game_by_id(game_id, with_relations=True)
    if game is None:
        raise UsageError(f"there is no game {game_id}; `arena games` lists them")
    if game.status != "completed":
        raise UsageError(f"game {game_id} is {game.status}: only a completed game can be branched")
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
        which: task(
            session, of.branched(Generation(0, turn, 0, seated)), rules, turns[:turn], _LONGEST_GAME
        )
        for which, seated in agents.items()
    }
    config = _config(session, game)
    client = client_for(config, keep_answers=answers is not None)
    models = {
        sitters[-1].agent.model.name: sitters[-1].agent.model
        for branched in tasks.values()
        for sitters in branched.players
    }
    for model in models.values():
        check_stored_model(client, model)
    cap = _budget(session, game, config, budget)
    if cap is not None or not uncapped:
        check_capped(client, models.values(), cap)
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
        models=ModelAccess(client, limits_for(config), cap, answers),
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
        (agent_id,) = find(session, "agent", name)
        if agent_id == staying[player]:
            raise UsageError(
                f"player {player} of game {game_id} is {name!r} already: choose another agent"
            )
        swapped[player] = agent_id
    return tuple(swapped)


def _config(session: Session, game: Game) -> TournamentConfig | None:
    """That of the game's tournament: its branches are played as patiently, and within its limits.
    None where there is none, or it is the row of another release."""
    key = game.tournament_id
    tournament = None if key is None else Repository(session).get_tournament_by_id(key)
    if tournament is None:
        return None
    try:
        return restored(tournament.config, tournament.settings)
    except ConfigError:
        return None


def _budget(
    session: Session, game: Game, config: TournamentConfig | None, said: float | None
) -> Budget | None:
    """What its branches may spend: what was said, else what is left of the tournament's budget, out
    of which earlier branches of its games were paid too."""
    if said is not None:
        return Budget(said)
    key = game.tournament_id
    if config is None or key is None:
        return None
    per_model = {model.name: model.budget for model in config.models if model.budget is not None}
    if config.budget is None and not per_model:
        return None
    return Budget(config.budget, per_model=per_model, spent=spent_in_all(session, key))


def enter(session: Session, origin: Origin, times: int, *, control: bool) -> list[Branch]:
    """Make the branches' rows, numbered after those that are there; branches and controls take
    turns, so that a run that is stopped has as many of both. Unfinished branches of the same game
    and turn are cleared."""
    repo, branches = Repository(session), []
    clear(session, [row.id or 0 for row in repo.get_branches(origin.game_id, origin.turn)])
    left = repo.get_branches(origin.game_id, origin.turn)
    first = left[-1].attempt + 1 if left else 0
    for number, which in enumerate([False, True] * times if control else [False] * times, first):
        row = repo.create_game(
            status="scheduled",
            environment_id=origin.environment_id,
            seed=origin.lineage.seed,
            parent_game_id=origin.game_id,
            parent_turn=origin.turn,
        )
        row.attempt = number
        assert row.id is not None
        for index, agent in enumerate(origin.agents[which]):
            repo.add_game_player(row.id, agent, index)
        branches.append(Branch(row.id, number, which))
    return branches


def clear(session: Session, game_ids: Sequence[int]) -> None:
    """Make the branches void that were begun and not finished, and forget those that were not
    begun; finished ones stay as they are."""
    repo = Repository(session)
    repo.settle_orphans(repo.abandon_games(game_ids, VoidCause.INTERRUPTED.value))


def score(results: Mapping[int, tuple[str | None, int | None]], player: int) -> float:
    """What a player got out of a finished game, from (team, rank) by player_index: 1 when its team
    finished first alone, half when it shares the first place, else 0."""
    best = min(rank for _, rank in results.values() if rank is not None)
    if results[player][1] != best:
        return 0.0
    first = {team or index for index, (team, rank) in results.items() if rank == best}
    return 1.0 if len(first) == 1 else 0.5

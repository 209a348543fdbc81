"""Reads the game that is branched, makes the rows of its branches and records them.

Everything is checked before a row is written; a branch that nobody plays any more is void.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlmodel import Session, col, func, select

from arena import registry
from arena.config import TournamentConfig, restored
from arena.core import (
    CallAnswer,
    CallIntent,
    ConfigError,
    DivergenceError,
    Environment,
    Observation,
    UsageError,
    VoidCause,
)
from arena.game.logs import Acted, TurnLog
from arena.llm.cache import Answers
from arena.llm.client import LiteLLMClient
from arena.llm.pacing.limits import Limits
from arena.orchestrator.clients import client_for, limits_for
from arena.orchestrator.preflight import check_stored_model
from arena.record.reading import Record
from arena.record.writing import GameRecorder
from arena.replay.lineage import (
    TURN_LIMIT,
    Cast,
    Generation,
    Lineage,
    cast,
    lineage,
    own_options,
    replies,
)
from db import Agent, Game, Repository, Tournament
from db.queries.transcript import TurnRow
from db.writer.turns import TurnActed, TurnOpened, TurnRefused

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

    `turns` are those before the branch, with the calls that they were played with. `agents` and
    `casts` are those of the controls (True) and of the branches (False). `player` is the first
    whose place is given away; `recorded` its score in the game.
    """

    game_id: int
    turn: int
    seats: Mapping[int, str]
    environment_id: int
    environment: Callable[[], Environment]
    turn_limit: int
    lineage: Lineage
    turns: Sequence[TurnRow]
    agents: Mapping[bool, tuple[int, ...]]
    casts: Mapping[bool, Cast]
    player: int
    team: str | None
    recorded: float | None
    client: LiteLLMClient
    limits: Limits
    answers: Answers | None

    def branched(self, own: Branch) -> Lineage:
        """The lineage of one of its branches."""
        agents = self.agents[own.control]
        return self.lineage.branched(Generation(own.game_id, self.turn, own.number, agents))


def read_origin(
    session: Session,
    game_id: int,
    turn: int,
    seats: Mapping[int, str],
    *,
    control: bool,
    answers: Answers | None = None,
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
    make = registry.environment(rules.name, own_options(rules))
    spec = make().spec
    if (spec.package, spec.version) != (rules.package, rules.version):
        raise UsageError(
            f"game {game_id} was played by the rules of {rules.package} {rules.version}, "
            f"installed are {spec.package} {spec.version}"
        )
    of = lineage(session, game)
    turns = [row for row in replies(session, of) if row.action is not None]
    if not 0 <= turn < len(turns):
        raise UsageError(f"game {game_id} has turns 0 to {len(turns) - 1}, found turn {turn}")
    staying = of.generations[-1].agents
    agents = {False: _swapped(session, game_id, staying, seats)}
    if control:
        agents[True] = staying
    casts = {
        which: cast(session, of.branched(Generation(0, turn, 0, seated)), rules)
        for which, seated in agents.items()
    }
    for played in casts.values():
        for sitters in played.places:
            check_stored_model(sitters[-1].spec.model)
    player = min(seats)
    config = _config(session, game)
    results = {row.player_index: (row.team, row.rank) for row in game.players}
    return Origin(
        game_id=game_id,
        turn=turn,
        seats=dict(seats),
        environment_id=rules.id,
        environment=make,
        turn_limit=rules.options.get(TURN_LIMIT, _LONGEST_GAME),
        lineage=of,
        turns=turns[:turn],
        agents=agents,
        casts=casts,
        player=player,
        team=results[player][0],
        recorded=None if results[player][1] is None else score(results, player),
        client=client_for(config, keep_answers=answers is not None),
        limits=limits_for(config),
        answers=answers,
    )


def _swapped(
    session: Session, game_id: int, staying: tuple[int, ...], seats: Mapping[int, str]
) -> tuple[int, ...]:
    if not seats:
        raise UsageError("say who plays on: a player and the name of its new agent")
    known = {agent.label: agent.id for agent in session.exec(select(Agent))}
    swapped = list(staying)
    for player, name in seats.items():
        if not 0 <= player < len(staying):
            raise UsageError(
                f"game {game_id} has players 0 to {len(staying) - 1}, found player {player}"
            )
        agent_id = known.get(name)
        if agent_id is None:
            raise UsageError(registry.unknown("agent", name, sorted(known)))
        if agent_id == staying[player]:
            raise UsageError(
                f"player {player} of game {game_id} is {name!r} already: choose another agent"
            )
        swapped[player] = agent_id
    return tuple(swapped)


def _config(session: Session, game: Game) -> TournamentConfig | None:
    """That of the game's tournament: its branches are played as patiently, and within its limits.
    None where there is none, or it is the row of another release."""
    tournament = None if game.tournament_id is None else session.get(Tournament, game.tournament_id)
    if tournament is None:
        return None
    try:
        return restored(tournament.config, tournament.settings)
    except ConfigError:
        return None


def enter(session: Session, origin: Origin, times: int, *, control: bool) -> list[Branch]:
    """Make the branches' rows, numbered after those that are there; branches and controls take
    turns, so that a run that is stopped has as many of both. Unfinished branches of the same game
    and turn are cleared: nobody plays them any more."""
    siblings = (
        col(Game.parent_game_id) == origin.game_id,
        col(Game.parent_turn) == origin.turn,
    )
    clear(session, [row for row in session.exec(select(Game.id).where(*siblings)) if row])
    latest = session.exec(select(func.max(Game.attempt)).where(*siblings)).one()
    first = 0 if latest is None else latest + 1
    repo, branches = Repository(session), []
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
    begun = []
    for game_id in game_ids:
        game = session.get(Game, game_id)
        if game is None or game.status not in ("scheduled", "running"):
            continue
        if game.status == "scheduled":
            session.delete(game)
            continue
        game.status, game.final = "void", True
        game.void_cause = VoidCause.INTERRUPTED.value
        game.finished_at = datetime.now(UTC)
        session.add(game)
        begun.append(game_id)
    session.flush()
    Repository(session).settle_orphans(begun)


def score(results: Mapping[int, tuple[str | None, int | None]], player: int) -> float:
    """What a player got out of a finished game, from (team, rank) by player_index: 1 when its team
    finished first alone, half when it shares the first place, else 0."""
    best = min(rank for _, rank in results.values() if rank is not None)
    if results[player][1] != best:
        return 0.0
    first = {team or index for index, (team, rank) in results.items() if rank == best}
    return 1.0 if len(first) == 1 else 0.5


class BranchLog:
    """The log of a branch (`arena.game.logs.GameLog`): the turns on record are compared and copied,
    without the calls that its parent made; the turns after them are recorded as any game's."""

    def __init__(self, record: Record, writer: GameRecorder) -> None:
        self.record = record
        self.writer = writer

    def turn(self, observation: Observation) -> TurnLog:
        """The log of the turn that this observation opens. Raises DivergenceError."""
        self.record.settle()
        if observation.turn_number >= len(self.record.turns):
            return self.writer.turn(observation)
        return CopiedTurn(self.record, self.record.opened(observation), self.writer)


@dataclass(frozen=True, slots=True)
class CopiedTurn:
    """One turn of the record in a branch (`arena.game.logs.TurnLog`); committed with the first turn
    that is live, before its first request leaves."""

    record: Record
    recorded: TurnRow
    writer: GameRecorder

    @property
    def key(self) -> tuple[int, int, int]:
        """The turn's key in the branch."""
        return (self.writer.game_id, self.recorded.turn_number, self.recorded.player_index)

    async def intend(self, intent: CallIntent) -> None:
        raise DivergenceError(f"turn {self.recorded.turn_number}: a model was about to be called")

    async def answer(self, answer: CallAnswer) -> None:
        raise DivergenceError(f"turn {self.recorded.turn_number}: a model was called")

    async def acted(self, acted: Acted) -> None:
        turn = self.recorded
        self.record.acted(turn, acted)
        action, submitted, lapse = acted.action.text, acted.submitted, acted.lapse
        self.writer.held += [
            TurnOpened(*self.key, observation=turn.observation, observed_at=turn.observed_at),
            TurnActed(
                *self.key,
                action=action,
                submitted=None if submitted == action else submitted,
                acted_at=turn.acted_at or turn.observed_at,
                response_time_ms=turn.response_time_ms,
                lapse=None if lapse is None else lapse.value,
            ),
        ]

    def refused(self) -> None:
        self.record.refuse(self.recorded)
        self.writer.held.append(TurnRefused(*self.key))

    async def flush(self) -> None:
        await self.writer.write()

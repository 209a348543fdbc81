"""Takes a recorded game up again: who sat where and when, with which replies and which seeds.

A branch begins as the game that it comes from: before its turn the agents, the replies and the
seeds of the calls are those of its parent, which may be a branch itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sqlmodel import Session

from arena import registry
from arena.core import (
    LLM,
    Action,
    Agent,
    AgentKind,
    AgentSpec,
    CallLog,
    ModelSpec,
    Observation,
    UsageError,
)
from arena.game.logs import Handle, HandleFactory
from arena.game.loop import Seat, turn_seed
from arena.game.seating import seat
from arena.llm.cache import Answers
from arena.llm.clearance import Clearance
from arena.llm.client import LiteLLMClient
from arena.llm.turn import TurnLLM
from arena.orchestrator.catalogue import agent_spec
from arena.record.reading import Record
from db import Environment, Game, Repository
from db.queries.transcript import TurnRow, transcript

TURN_LIMIT = "turn_limit"
TIME_LIMIT = "time_limit"


@dataclass(frozen=True, slots=True)
class Generation:
    """One game of a lineage: its own turns begin at `turn`; `number` tells the branches of one
    game at one turn apart; `agents[i]` is the agent_id at player_index i from `turn` on."""

    game_id: int
    turn: int
    number: int
    agents: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Lineage:
    """A game, and those that it branches from: `generations`, oldest first, the game last."""

    seed: int
    generations: tuple[Generation, ...]

    def branched(self, generation: Generation) -> Lineage:
        """The lineage of a branch of this game."""
        return Lineage(self.seed, (*self.generations, generation))

    def owner(self, turn_number: int) -> int:
        """Which generation made the calls of a turn, from 0."""
        index = len(self.generations) - 1
        while index and turn_number < self.generations[index].turn:
            index -= 1
        return index

    def call_seed(self, turn_number: int) -> int:
        """The seed of a turn's calls. From its own first turn on, each branch has others than its
        parent: a model that is asked with a seed would else always answer the same."""
        seed = self.seed
        for depth, generation in enumerate(self.generations[: self.owner(turn_number) + 1]):
            if depth:
                seed += generation.number + 1 << 64 * depth
        return turn_seed(seed, turn_number)

    def sitters(self, player_index: int) -> tuple[tuple[int, int], ...]:
        """(first turn, agent_id) of the agents that follow each other at one place. An agent that
        stays is not named again: it keeps its memory."""
        sitters: list[tuple[int, int]] = []
        for generation in self.generations:
            agent = generation.agents[player_index]
            while sitters and sitters[-1][0] >= generation.turn:
                sitters.pop()
            if not sitters or sitters[-1][1] != agent:
                sitters.append((generation.turn, agent))
        return tuple(sitters)


def lineage(session: Session, game: Game) -> Lineage:
    """The lineage of a game. Raises UsageError for a game without a seed, and for a branch whose
    parent is not on record any more."""
    if game.seed is None:
        raise UsageError(f"game {game.id} has no seed on record: it cannot be played again")
    generations = [_generation(game)]
    while game.parent_turn is not None:
        parent = None if game.parent_game_id is None else session.get(Game, game.parent_game_id)
        if parent is None:
            raise UsageError(
                f"game {game.id} branches from a game that is not on record any more: "
                "it cannot be played again"
            )
        game = parent
        generations.append(_generation(game))
    return Lineage(game.seed or 0, tuple(reversed(generations)))


def _generation(game: Game) -> Generation:
    assert game.id is not None
    agents = tuple(player.agent_id for player in game.players)
    return Generation(game.id, game.parent_turn or 0, game.attempt, agents)


def replies(session: Session, of: Lineage, own: Sequence[TurnRow] | None = None) -> list[TurnRow]:
    """The turns that hold the calls which the game was played with: before a branch, those of its
    parent. `own` are the turns of the game itself where they have been read already. Raises
    DatabaseError for rows that cannot be read."""
    turns: list[TurnRow] = []
    for generation in of.generations:
        last = generation is of.generations[-1]
        found = own if last and own is not None else transcript(session, generation.game_id)
        turns[generation.turn :] = found[generation.turn :]
    return turns


@dataclass(frozen=True, slots=True)
class Sitter:
    """An agent at one place from a turn on."""

    turn: int
    spec: AgentSpec
    kind: AgentKind


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: the agents at each place in the order in which they sit there, and the options of
    the arena's own that the game is played with."""

    places: tuple[tuple[Sitter, ...], ...]
    environment: str
    time_limit: float | None

    def seats(self) -> list[Seat]:
        """Fresh agents for one game; the model of a seat is that of the last agent there."""
        return [self._seat(index, sitters) for index, sitters in enumerate(self.places)]

    def model(self, player_index: int, turn_number: int) -> ModelSpec:
        """The model behind a player at a turn."""
        sitters = self.places[player_index]
        return next(s.spec.model for s in reversed(sitters) if s.turn <= turn_number)

    def handles(
        self,
        record: Record,
        of: Lineage,
        client: LiteLLMClient | None = None,
        clearance: Clearance | None = None,
        answers: Answers | None = None,
    ) -> HandleFactory:
        """Makes the handles of a game: the replies of `record` first, then the client's; without
        one the record must hold every call."""

        def handle(model: ModelSpec, log: CallLog, number: int) -> Handle:
            if number < len(record.turns):
                model = self.model(record.turns[number].player_index, number)
            served = TurnLLM(
                client,
                model,
                log,
                of.call_seed(number),
                recorded=record.calls(number),
                place=record.place(number),
                time_limit=self.time_limit,
                clearance=clearance,
                answers=answers,
            )
            record.handle = served
            return served

        return handle

    def _seat(self, player_index: int, sitters: Sequence[Sitter]) -> Seat:
        seats = [
            seat(
                sitter.spec,
                sitter.kind,
                player_index,
                environment=self.environment,
                num_players=len(self.places),
            )
            for sitter in sitters
        ]
        if len(seats) == 1:
            return seats[0]
        turns = [sitter.turn for sitter in sitters]
        return Seat(
            Relay(tuple(zip(turns, [s.agent for s in seats], strict=True))), seats[-1].model
        )


def cast(session: Session, of: Lineage, rules: Environment) -> Cast:
    """The agents of a lineage, from the catalogue. Raises UsageError when one of them, or its kind
    in the version that played, is not there."""
    found: dict[int, tuple[AgentSpec, AgentKind]] = {}

    def sitter(turn: int, agent_id: int) -> Sitter:
        if agent_id not in found:
            found[agent_id] = _agent(session, agent_id)
        return Sitter(turn, *found[agent_id])

    places = tuple(
        tuple(sitter(turn, agent_id) for turn, agent_id in of.sitters(player_index))
        for player_index in range(len(of.generations[-1].agents))
    )
    return Cast(places, rules.name, rules.options.get(TIME_LIMIT))


def _agent(session: Session, agent_id: int) -> tuple[AgentSpec, AgentKind]:
    row = Repository(session).get_agent_by_id(agent_id, with_relations=True)
    if row is None:
        raise UsageError(f"there is no agent {agent_id} in the catalogue")
    spec = agent_spec(row)
    kind = registry.kind(spec.kind)
    if kind.version != spec.kind_version:
        raise UsageError(
            f"the agent {spec.name!r} was played by {spec.kind} version {spec.kind_version}, "
            f"installed is version {kind.version}"
        )
    return spec, kind


def own_options(rules: Environment) -> dict[str, object]:
    """The options that the environment itself takes, without the arena's."""
    return {
        name: value for name, value in rules.options.items() if name not in (TURN_LIMIT, TIME_LIMIT)
    }


@dataclass(slots=True)
class Relay:
    """Agents that follow each other at one place (`arena.core.Agent`), each from a turn on. One
    that comes later has seen nothing: at its first turn everything is new."""

    agents: Sequence[tuple[int, Agent]]
    _acting: Agent | None = field(default=None, init=False)

    async def act(self, observation: Observation, llm: LLM) -> Action:
        due = next(a for turn, a in reversed(self.agents) if turn <= observation.turn_number)
        if due is not self._acting:
            self._acting = due
            observation = replace(observation, new=observation.text)
        return await due.act(observation, llm)

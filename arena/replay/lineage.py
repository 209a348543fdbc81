"""Takes a recorded game up again: who sat where and when, with which replies and which seeds.

A branch begins as the game that it comes from: before its turn the agents, the replies and the
seeds of the calls are those of its parent, which may be a branch itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from arena.core import AgentSpec, UsageError
from arena.core.rules_options import held
from arena.game.replayed import RecordedTurn
from arena.game.seating import Sitter, kind_of
from arena.game.task import GameTask
from arena.llm.overflow import OverflowPolicy
from arena.orchestrator.specs import agent_spec
from db import Environment, Game, Repository, Session
from db.models.tournaments import REFEREE
from db.queries.transcript import TurnRow, transcript

TURN_LIMIT = "turn_limit"
TIME_LIMIT = "time_limit"
OVERFLOW = "overflow"


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
    """A game, and those that it branches from: `generations`, oldest first, the game last. All of
    them have the `seed` and the `revision` of the oldest."""

    seed: int
    revision: int
    generations: tuple[Generation, ...]

    def branched(self, generation: Generation) -> Lineage:
        """The lineage of a branch of this game."""
        return replace(self, generations=(*self.generations, generation))

    def call_seeds(self) -> tuple[tuple[int, int], ...]:
        """(first turn, seed): what the seeds of the calls follow from. From its own first turn on,
        each branch has others than its parent: a model that is asked with a seed would else always
        answer the same."""
        seeds: list[tuple[int, int]] = []
        seed = self.seed
        for depth, generation in enumerate(self.generations):
            if depth:
                seed += generation.number + 1 << 64 * depth
            while seeds and seeds[-1][0] >= generation.turn:
                seeds.pop()
            seeds.append((generation.turn, seed))
        return tuple(seeds)

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
        key = game.parent_game_id
        parent = None if key is None else Repository(session).get_game_by_id(key)
        if parent is None:
            raise UsageError(
                f"game {game.id} branches from a game that is not on record any more: "
                "it cannot be played again"
            )
        game = parent
        generations.append(_generation(game))
    return Lineage(game.seed or 0, game.revision or 1, tuple(reversed(generations)))


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


def task(
    session: Session, of: Lineage, rules: Environment, turns: Sequence[RecordedTurn], longest: int
) -> GameTask:
    """The game of a lineage as a task that begins with these turns; `longest` is its turn limit
    where none is on record. Raises UsageError when an agent, or its kind in the version that
    played, is not there."""
    specs: dict[int, AgentSpec] = {}

    def sitter(turn: int, agent_id: int) -> Sitter:
        if agent_id not in specs:
            specs[agent_id] = _agent(session, agent_id)
        return Sitter(turn, specs[agent_id])

    referee = rules.referee_id
    return GameTask(
        environment=rules.name,
        options=own_options(rules),
        rules=(rules.package, rules.version),
        revision=of.revision,
        seed=of.seed,
        players=tuple(
            tuple(sitter(turn, agent_id) for turn, agent_id in of.sitters(player_index))
            for player_index in range(len(of.generations[-1].agents))
        ),
        referee=() if referee is None else (sitter(0, referee),),
        turn_limit=rules.options.get(TURN_LIMIT, longest),
        time_limit=rules.options.get(TIME_LIMIT),
        overflow=OverflowPolicy(rules.options.get(OVERFLOW, OverflowPolicy.VOID)),
        call_seeds=of.call_seeds(),
        recorded=tuple(turns),
    )


def _agent(session: Session, agent_id: int) -> AgentSpec:
    row = Repository(session).get_agent_by_id(agent_id, with_relations=True)
    if row is None:
        raise UsageError(f"there is no agent {agent_id} in the catalogue")
    spec = agent_spec(row)
    kind_of(spec)
    return spec


def own_options(rules: Environment) -> dict[str, object]:
    """The options that the environment itself takes, without the arena's; files are looked for in
    the working directory, and nowhere else. Raises UsageError for a file outside of it."""
    limits = (TURN_LIMIT, TIME_LIMIT, OVERFLOW, REFEREE)
    own = {name: value for name, value in rules.options.items() if name not in limits}
    return held(rules.name, own, Path.cwd())

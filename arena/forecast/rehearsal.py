"""Plays games of a schedule without asking a provider, to count what they would ask.

Rules and kinds of agent are the real ones. Scripted models answer themselves, so that their games
are the real games; for every other model a legal move at random stands in, at a chosen length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from arena import registry
from arena.core import (
    AgentSpec,
    CallAnswer,
    CallIntent,
    CallLog,
    Completion,
    Message,
    ModelSpec,
    Observation,
    Pairing,
    Policy,
    UsageError,
)
from arena.game.logs import Acted, Handle
from arena.game.loop import Finished, Seat, Voided, play, turn_seed
from arena.game.seating import seat
from arena.llm.request import call_seed, sendable
from arena.llm.scripted.provider import NAME, rng_of, tokens
from arena.orchestrator.preflight import Prepared

# Requests of so many characters are enough: the games of some rules are hundreds of turns long.
ENOUGH_CHARACTERS = 100_000_000

_LEAST_GAMES = 2

# No brackets, braces or numbers: nothing that rules or agents would take for a move.
_FILLER = "Let me think about what was said so far, and about what each of us can gain from it. "


@dataclass(slots=True)
class Asked:
    """What one model was asked in a game: calls, the characters of the requests, and the tokens
    that a scripted model would have counted in requests and answers."""

    calls: int = 0
    characters: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One game, at each of the lengths: what each model was asked, by the model's name."""

    levels: tuple[Mapping[str, Asked], ...]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The games that could be played to an end; `void` could not, `error` says why the first."""

    games: tuple[Rehearsed, ...]
    void: int
    error: str | None


def is_scripted(model: ModelSpec) -> bool:
    """Whether a program answers, and not a provider."""
    return model.litellm_model.startswith(f"{NAME}/")


async def rehearse(
    prepared: Prepared,
    agents: Mapping[int, AgentSpec],
    pairings: Sequence[Pairing],
    lengths: Sequence[Mapping[str, int]],
) -> Rehearsal:
    """Play each pairing once for each of `lengths`: the characters of an answer by the name of
    its model; those of scripted models are not looked at. `agents` are by agent_id."""
    policies = {agent.model.name: _policy(agent.model) for agent in agents.values()}
    games: list[Rehearsed] = []
    void, error, characters = 0, None, 0
    for pairing in pairings:
        if characters > ENOUGH_CHARACTERS and len(games) >= _LEAST_GAMES:
            break
        levels = []
        for length in lengths:
            asked: dict[str, Asked] = {}
            result = await _play(prepared, agents, pairing, policies, length, asked)
            characters += sum(model.characters for model in asked.values())
            if isinstance(result, Voided):
                void, error = void + 1, error or result.error
                break
            levels.append(asked)
        else:
            games.append(Rehearsed(tuple(levels)))
    return Rehearsal(tuple(games), void, error)


def _policy(model: ModelSpec) -> Policy:
    name = model.litellm_model.removeprefix(f"{NAME}/") if is_scripted(model) else "random"
    return cast(Policy, registry.load("scripted", name))


async def _play(
    prepared: Prepared,
    agents: Mapping[int, AgentSpec],
    pairing: Pairing,
    policies: Mapping[str, Policy],
    lengths: Mapping[str, int],
    asked: dict[str, Asked],
) -> Finished | Voided:
    environment = prepared.config.environment

    def handle(model: ModelSpec, log: CallLog, turn_number: int) -> Handle:
        return StandIn(
            policies[model.name],
            turn_seed(pairing.seed, turn_number),
            asked.setdefault(model.name, Asked()),
            0 if is_scripted(model) else lengths[model.name],
        )

    def seated(player_index: int, agent: AgentSpec) -> Seat:
        return seat(
            agent,
            prepared.kinds[agent.kind],
            player_index,
            environment=environment.name,
            num_players=environment.players,
        )

    result = await play(
        prepared.environment(),
        [seated(index, agents[agent]) for index, agent in enumerate(pairing.agents)],
        seed=pairing.seed,
        llm=handle,
        log=Unrecorded(),
        turn_limit=environment.turn_limit,
    )
    if isinstance(result, Finished | Voided):
        return result
    raise UsageError(f"a rehearsal was paused: {result.reason}")


@dataclass(slots=True)
class StandIn:
    """Answers in a model's place (`arena.game.logs.Handle`) and counts what it is asked; an answer
    is filled up to `characters`, before the move."""

    policy: Policy
    seed: int
    asked: Asked
    characters: int
    last: Completion | None = None
    _calls: int = field(default=0, init=False)

    async def complete(self, messages: Sequence[Message]) -> Completion:
        number, self._calls = self._calls, self._calls + 1
        sent = sendable(messages)
        text = self.policy(sent, rng_of(sent, call_seed(self.seed, number)))
        missing = self.characters - len(text) - 1
        if missing > 0:
            text = f"{(_FILLER * (missing // len(_FILLER) + 1))[:missing]}\n{text}"
        self.asked.calls += 1
        self.asked.characters += sum(len(message["content"]) for message in sent)
        self.asked.prompt_tokens += sum(tokens(message["content"]) for message in sent)
        self.asked.completion_tokens += tokens(text)
        self.last = Completion(text, "stop")
        return self.last


class Unrecorded:
    """The log of a game and of its turns that keeps nothing."""

    def turn(self, observation: Observation) -> Unrecorded:
        return self

    async def intend(self, intent: CallIntent) -> None:
        """Nothing is called."""

    async def answer(self, answer: CallAnswer) -> None:
        """Nothing is called."""

    async def acted(self, acted: Acted) -> None:
        """Nothing is kept."""

    def refused(self) -> None:
        """Nothing is kept."""

    async def flush(self) -> None:
        """Nothing is held back."""

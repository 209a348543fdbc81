"""Plays games of a schedule without asking a provider, to count what they would ask.

Rules and kinds of agent are the real ones. Scripted models answer themselves, so that their games
are the real games; for every other model a legal move at random stands in, at a chosen length,
after one call in each turn of a tool that it is offered. Only tools with no effect outside are run.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from arena import registry
from arena.core import (
    AgentSpec,
    Completion,
    Message,
    ModelSpec,
    Pairing,
    Policy,
    ToolCall,
    UsageError,
    text_of,
)
from arena.core.memory import LastGame, Memory
from arena.core.tools import ClosesTool, ToolEntry, ToolLimits
from arena.game.journal import JournalEntry
from arena.game.loop import Finished, Voided
from arena.game.seating import Sitter
from arena.game.task import GameTask, Ports, play_task
from arena.llm.clearance import LocalClearance
from arena.llm.pacing.limits import Limits
from arena.llm.request import sendable
from arena.llm.scripted.diligent import before_tools, call_of
from arena.llm.scripted.policies import PREFIX, answer_of, is_scripted, rng_of, tokens
from arena.orchestrator.preflight import Prepared

# Requests of this many characters are enough: some games are hundreds of turns long.
ENOUGH_CHARACTERS = 100_000_000

_LEAST_GAMES = 2

# No brackets, braces or numbers: nothing that rules or agents would take for a move.
_FILLER = "Let me think about what was said so far, and about what each of us can gain from it. "

# An agent that remembers is asked about the game before, in all games but its first.
_REMEMBERED = Memory(1, (), LastGame(0, _FILLER * 40, ""))


@dataclass(slots=True)
class Asked:
    """What one agent was asked in a game: turns in all its seats, calls, the characters of the
    requests, and the tokens that a scripted model would have counted in requests and answers."""

    turns: int = 0
    calls: int = 0
    characters: int = 0
    prompt_tokens: int = 0
    response_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One game, at each of the lengths: what each agent was asked, by agent_id."""

    pairing: Pairing
    levels: tuple[Mapping[int, Asked], ...]


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """The games that could be played to an end; `void` could not, `error` says why the first."""

    games: tuple[Rehearsed, ...]
    void: int
    error: str | None


async def rehearse(
    prepared: Prepared,
    agents: Mapping[int, AgentSpec],
    pairings: Sequence[Pairing],
    lengths: Sequence[int],
) -> Rehearsal:
    """Play each pairing once for each of `lengths`: the characters of an answer; those of scripted
    models are as long as they are. `agents` are by agent_id; in a pairing the referee stands behind
    the players."""
    policies = {number: _policy(agent.model) for number, agent in agents.items()}
    # Who asks is known by the model's name.
    named = {
        number: replace(
            agent, model=replace(agent.model, name=str(number)), tools=rehearsed_tools(agent)
        )
        for number, agent in agents.items()
    }
    games: list[Rehearsed] = []
    void, error, characters = 0, None, 0
    for pairing in pairings:
        if characters > ENOUGH_CHARACTERS and len(games) >= _LEAST_GAMES:
            break
        levels = []
        for length in lengths:
            asked: dict[int, Asked] = {}
            result = await _play(prepared, named, pairing, policies, length, asked)
            characters += sum(agent.characters for agent in asked.values())
            if isinstance(result, Voided):
                void, error = void + 1, error or result.error
                break
            judged = () if result.referee is None else (result.referee,)
            for agent, conduct in zip(pairing.agents, (*result.conduct, *judged), strict=True):
                asked.setdefault(agent, Asked()).turns += conduct.turns
            levels.append(asked)
        else:
            games.append(Rehearsed(pairing, tuple(levels)))
    return Rehearsal(tuple(games), void, error)


def rehearsed_tools(agent: AgentSpec) -> tuple[ToolEntry, ...]:
    """Those tools of an agent that can be run for nothing: that change nothing but their own
    memory, and hold nothing open."""
    found = []
    for each in agent.tools:
        box = registry.toolbox([each], ToolLimits())
        if all(tool.repeatable and not isinstance(tool, ClosesTool) for _, tool in box.tools):
            found.append(each)
    return tuple(found)


def _policy(model: ModelSpec) -> Policy:
    scripted = is_scripted(model)
    return registry.policy(model.litellm_model.removeprefix(PREFIX) if scripted else "random")


async def _play(
    prepared: Prepared,
    agents: Mapping[int, AgentSpec],
    pairing: Pairing,
    policies: Mapping[int, Policy],
    length: int,
    asked: dict[int, Asked],
) -> Finished | Voided:
    environment = prepared.config.environment
    seats = tuple((Sitter(0, agents[agent]),) for agent in pairing.agents)
    task = GameTask(
        environment=environment.name,
        options=prepared.options,
        seed=pairing.seed,
        players=seats[: environment.players],
        referee=next(iter(seats[environment.players :]), ()),
        turn_limit=environment.turn_limit,
        memories=(_REMEMBERED,) * environment.players,
    )
    tools = {
        agent: frozenset(str(tool["function"]["name"]) for tool in _offered(agents[agent]))
        for agent in pairing.agents
    }
    client = StandIn(policies, length, asked, tools)
    result = await play_task(task, Ports(Unrecorded(), LocalClearance(Limits()), client))
    if isinstance(result, Finished | Voided):
        return result
    raise UsageError(f"a rehearsal was stopped: {result.reason}")


def _offered(agent: AgentSpec) -> Sequence[Mapping[str, Any]]:
    return registry.toolbox(agent.tools, ToolLimits()).offered if agent.tools else ()


@dataclass(frozen=True, slots=True)
class StandIn:
    """Answers in the place of every model (`arena.llm.turn.ModelClient`) and counts what each is
    asked, whose name is the number of the agent; an answer is filled up to its length, before the
    move. `tools` are the names of the functions that agents may call, by agent."""

    policies: Mapping[int, Policy]
    length: int
    asked: dict[int, Asked]
    tools: Mapping[int, frozenset[str]]

    async def complete(
        self,
        model: ModelSpec,
        messages: Sequence[Message],
        *,
        seed: int | None = None,
        **_: object,
    ) -> Completion:
        sent = sendable(messages)
        agent = int(model.name)
        text, calls = self._answer(agent, model, sent, rng_of(sent, seed))
        missing = 0 if calls or is_scripted(model) else self.length - len(text) - 1
        if missing > 0:
            text = f"{(_FILLER * (missing // len(_FILLER) + 1))[:missing]}\n{text}"
        asked = self.asked.setdefault(agent, Asked())
        asked.calls += 1
        asked.characters += sum(len(text_of(message)) for message in sent)
        asked.prompt_tokens += sum(tokens(text_of(message)) for message in sent)
        asked.response_tokens += tokens(text)
        asked.response_tokens += sum(tokens(call.name + call.arguments) for call in calls)
        reason = "tool_calls" if calls else "stop"
        return Completion(text, reason, tool_calls=tuple(calls))

    def _answer(
        self, agent: int, model: ModelSpec, sent: Sequence[Message], rng: random.Random
    ) -> tuple[str, Sequence[ToolCall]]:
        offered = model.params.get("tools") or ()
        policy = self.policies[agent]
        if is_scripted(model):
            return answer_of(policy, sent, rng, offered)
        mine = [
            tool["function"] for tool in offered if tool["function"]["name"] in self.tools[agent]
        ]
        if mine and sent[-1]["role"] != "tool":
            return "", [call_of(rng.choice(mine), rng)]
        return policy(before_tools(sent), rng), ()


class Unrecorded:
    """A journal that keeps nothing (`arena.game.journal.Journal`)."""

    async def append(self, *entries: JournalEntry) -> None:
        """Nothing is kept."""

    def wanted(self) -> bool:
        return True

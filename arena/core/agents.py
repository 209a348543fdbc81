"""Agents, the models they ask, and the calls that this takes."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from arena.core.environments import Action, Observation
from arena.core.messages import Message
from arena.core.tools import ToolEntry


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model as its provider is asked for it: `litellm_model` is its name there.

    `params` are sent with the request (temperature, max_tokens, ...); `api_key_env` names the
    environment variable that holds the key, or `api_key_file` the file, never the key. Prices are
    dollars per million tokens and replace the price list. `stream` asks for time to first token
    (10x the CPU). `provider` is the registered name of who answers; None for whoever the run asks.
    `system` is the role that says what the prompt says: `user` for a model that takes no system
    message.
    """

    name: str
    litellm_model: str
    params: Mapping[str, Any] = field(default_factory=dict)
    api_base: str | None = None
    api_key_env: str | None = None
    stream: bool = False
    input_price: float | None = None
    output_price: float | None = None
    provider: str | None = None
    system: str = "system"
    api_key_file: str | None = None

    @property
    def keyed(self) -> bool:
        """Whether it says where its own key is."""
        return self.api_key_env is not None or self.api_key_file is not None


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """kind + model + prompt + options: change anything and it is another agent.

    `agent_id` is its row in the catalogue; `prompt` is the template, with `{{variables}}`, and
    `vars` are the agent's own for it; `tools` are those that it may call in its turn,
    `tool_limits` what is said of `arena.core.tools.ToolLimits`.
    """

    agent_id: int
    name: str
    kind: str
    kind_version: int
    model: ModelSpec
    prompt: str
    options: Mapping[str, Any] = field(default_factory=dict)
    vars: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[ToolEntry, ...] = ()
    tool_limits: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens and dollars of one attempt; None where the provider did not say. `written_tokens` of
    the prompt were written into the provider's cache, `written_hour_tokens` of these for an hour;
    the record has them in the response alone, as it has `stated_cost`, the dollars that the
    provider itself said."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None
    cost: float | None = None
    written_tokens: int | None = None
    written_hour_tokens: int | None = None
    stated_cost: float | None = None

    @property
    def total(self) -> int | None:
        """Tokens of prompt and answer together; None where the provider said neither."""
        if self.prompt_tokens is None and self.completion_tokens is None:
            return None
        return (self.prompt_tokens or 0) + (self.completion_tokens or 0)


@dataclass(frozen=True, slots=True)
class CallIntent:
    """An attempt that is about to be sent; on disk before the request leaves.

    `call_index` counts every attempt of the turn from 0; `call_number` the agent's calls of
    `complete` in the turn; `attempt` the tries of that call, from 0. `request` is an allow-list of
    the parameters sent; `request_hash` covers model, messages and request. `reserved` is the most
    that the attempt can cost, in dollars; None where no price is known.
    """

    call_index: int
    call_number: int
    attempt: int
    model: str
    messages: Sequence[Message]
    request: Mapping[str, Any]
    request_hash: str
    reserved: float | None = None


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """How an attempt ended: an answer, or an error. Times are aware, UTC.

    `total_ms` is the provider's time alone; `lag_ms` that in which the event loop of this process
    had other work and the attempt waited for it, before or after that of the provider.
    `charged` is what it counts against the budget: its cost, or the worst case where a provider
    may have answered and been paid without saying so. `cached` marks an answer that no provider
    gave: it was on record already; `cacheable` one that may be given again to the same request.
    """

    call_index: int
    request_sent_at: datetime
    response_received_at: datetime
    total_ms: float
    first_token_ms: float | None = None
    text: str | None = None
    response: Mapping[str, Any] | None = None
    model_answered: str | None = None
    finish_reason: str | None = None
    usage: Usage = Usage()
    error_class: str | None = None
    error_message: str | None = None
    error_status: int | None = None
    charged: float | None = None
    cached: bool = False
    cacheable: bool = False
    lag_ms: float | None = None


class CallLog(Protocol):
    """Where one turn's calls are recorded."""

    async def intend(self, intent: CallIntent) -> None:
        """Returns when the intent is committed: only then may the request leave."""
        ...

    async def answer(self, answer: CallAnswer) -> None:
        """Takes the end of an attempt. It is committed before the next request leaves and
        before the game moves."""
        ...


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that a model calls; `arguments` is the text that it wrote for them."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class CallOptions:
    """What one call asks for beside its model's params, and in their place.

    `max_tokens` is the most tokens of the answer; with `at_least`, only where the model's own
    limit is lower. `response_format`, `tools` and `tool_choice` are as OpenAI has them; a provider
    that does not have them is not sent them.
    """

    max_tokens: int | None = None
    at_least: bool = False
    response_format: Mapping[str, Any] | None = None
    tools: tuple[Mapping[str, Any], ...] = ()
    tool_choice: Mapping[str, Any] | str | None = None


@dataclass(frozen=True, slots=True)
class Completion:
    """What an agent gets back from a model. `text` may be empty: silence is an answer. `refused`
    says that the model declined to answer; `thoughts` are what the provider told of them apart
    from the text, None where it told nothing. `thinking_blocks` are those that are to be sent back
    with what a tool said, as they were signed."""

    text: str
    finish_reason: str | None = None
    usage: Usage = Usage()
    refused: bool = False
    thoughts: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    thinking_blocks: tuple[Mapping[str, Any], ...] = ()


class LLM(Protocol):
    """The only way an agent reaches a model: everything through it is recorded."""

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        """Ask the agent's model. Raises ProviderError when every attempt failed."""
        ...


class Agent(Protocol):
    """A way of thinking at one place of one game; it may remember between its turns."""

    async def act(self, observation: Observation, llm: LLM) -> Action: ...


@runtime_checkable
class TellsActOptions(Protocol):
    """What an agent may have besides: it says before the game what its own call for an action asks
    of the provider. One that asks for a `response_format` is given no tools. What the rules take
    as an answer is another matter (`TellsAnswerSchema`)."""

    @property
    def act_options(self) -> CallOptions | None: ...


class TakesPrompts(Protocol):
    """What an agent may have besides: it takes its prompt anew, where that tells the phase."""

    def reprompt(self, prompt: str) -> None:
        """The prompt from this turn on, with its variables filled in; called before `act`."""
        ...


@runtime_checkable
class TakesPlace(Protocol):
    """What an agent may have besides: it is told which game it plays, and among how many."""

    def seated(self, environment: str, num_players: int) -> None:
        """Called once, before `act`."""
        ...


@runtime_checkable
class HearsResult(Protocol):
    """What an agent may have besides: when its game has a result, it has something to say to what
    answered it."""

    def ended(self, result: Mapping[str, Any]) -> Sequence[Message] | None:
        """What is to be said; None for nothing. `result` is of its own seat: `result` (win, draw or
        loss), `rank` (from 0) and `termination`. Called at most once, never in a replay."""
        ...


class AgentKind(Protocol):
    """Makes agents of one kind. `version` goes up when the kind behaves differently; a kind may
    have `earlier` ones of its versions, by number, so that what they played can be replayed."""

    version: int

    def __call__(self, *, prompt: str, options: Mapping[str, Any]) -> Agent:
        """A fresh agent for one place of one game; `prompt` has its variables filled in. Raises
        UsageError for options that the kind does not know."""
        ...


class Policy(Protocol):
    """A scripted model: an answer to a conversation, as a provider would give it."""

    def __call__(self, messages: Sequence[Message], rng: random.Random) -> str: ...


class ToolPolicy(Protocol):
    """A scripted model that calls tools: it is told what it is `tools` offered, as in the request,
    and answers with a text or with calls."""

    def __call__(
        self,
        messages: Sequence[Message],
        rng: random.Random,
        *,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> str | Sequence[ToolCall]: ...

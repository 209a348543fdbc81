"""The parts of a tournament file: environment, matchmaker, models, prompts, agents, providers."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    PrivateAttr,
    model_validator,
)

from arena.config.instructions import InstructionsConfig
from arena.config.key_names import KeyFile, KeyVariable
from arena.config.tools import ToolLimitsConfig, ToolList
from arena.core import ModelSpec, prompts
from arena.core.null_variants import MOST
from arena.core.text import visible

Options = dict[str, JsonValue]


def _name(value: str) -> str:
    if value != value.strip() or visible(value) != value:
        raise ValueError(f"expected a name on one line without spaces around it, found {value!r}")
    return value


def _variable_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z_]\w*", value):
        raise ValueError(
            f"expected a name of letters, digits and _, as the prompt uses it: {{{{vars.tone}}}}; "
            f"found {value!r}"
        )
    return value


VariableName = Annotated[str, Field(max_length=100), AfterValidator(_variable_name)]
Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_name)]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Dollars = Annotated[float, Field(gt=0, allow_inf_nan=False)]
PerMinute = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Shape(BaseModel):
    """What every part is: frozen, and exactly as it was written."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class AgentConfig(Shape):
    """kind + model + prompt (+ options, vars)."""

    name: Name = Field(description="What tables and transcripts call it.")
    kind: Name = Field(default="thinking", description="thinking, remembering, ...")
    model: Name = Field(description="A model of this file or of the catalogue.")
    prompt: Name = Field(description="A prompt of this file or of the catalogue.")
    options: Options = Field(default={}, description="Options of the kind.")
    vars: dict[VariableName, str | int | float] = Field(
        default={}, description="What the prompt says as {{vars.NAME}}."
    )
    tools: ToolList = Field(default=(), description="What it may call in its turn: notes, ...")
    tool_limits: ToolLimitsConfig = Field(
        default=ToolLimitsConfig(), description="What its calls of tools may take."
    )
    null_variants: int = Field(
        default=0,
        ge=0,
        le=MOST,
        description="Agents beside it whose prompts say the same: what they differ by is noise.",
    )

    @model_validator(mode="after")
    def _beside_options(self) -> Self:
        for name in prompts.BESIDE:
            if name in self.options:
                raise ValueError(f"expected {name!r} beside 'options', found it in them")
        return self

    @property
    def beside(self) -> Options:
        """What it has beside the options of its kind, as far as it says anything."""
        return self.model_dump(mode="json", include={*prompts.BESIDE}, exclude_defaults=True)

    @property
    def stored_options(self) -> Options:
        """The options as they are on record, with what it has beside them."""
        return prompts.stored(self.options, self.beside)


class TemplatedAgent(Shape):
    """An agent that is made from a template: what is said here goes before what that says."""

    template: Name = Field(description="As `arena templates list` shows it.")
    name: Name | None = Field(default=None, description="By default that of the template.")
    kind: Name | None = Field(default=None, description="thinking, remembering, ...")
    model: Name | None = Field(
        default=None, description="A model of this file or of the catalogue."
    )
    prompt: Name | None = Field(
        default=None, description="A prompt of this file or of the catalogue."
    )
    options: Options = Field(default={}, description="Options of the kind.")
    vars: dict[VariableName, str | int | float] = Field(
        default={}, description="What the prompt says as {{vars.NAME}}."
    )
    tools: ToolList = Field(
        default=(), description="In the place of those of the template: notes, ..."
    )
    tool_limits: ToolLimitsConfig = Field(
        default=ToolLimitsConfig(), description="What its calls of tools may take."
    )
    null_variants: int = Field(
        default=0,
        ge=0,
        le=MOST,
        description="Agents beside it whose prompts say the same: what they differ by is noise.",
    )


class RefereeConfig(Shape):
    """Who is asked where the rules ask a referee: an agent that has no seat and is not rated."""

    name: Name = Field(default="Referee", description="What tables and transcripts call it.")
    kind: Name = Field(default="thinking", description="thinking, remembering, ...")
    model: Name = Field(description="A model of this file or of the catalogue.")
    prompt: Name = Field(description="A prompt of this file or of the catalogue.")
    options: Options = Field(default={}, description="Options of the kind.")
    vars: dict[VariableName, str | int | float] = Field(
        default={}, description="What the prompt says as {{vars.NAME}}."
    )

    tools: ToolList = Field(default=(), description="What it may call: notes, ...")
    tool_limits: ToolLimitsConfig = Field(
        default=ToolLimitsConfig(), description="What its calls of tools may take."
    )

    def agent(self) -> AgentConfig:
        """The same, as an agent."""
        return AgentConfig(**self.model_dump())


class EnvironmentConfig(Shape):
    """The rules, and how many play."""

    name: Name = Field(description="As `arena environments list` shows it: SecretMafia-v0.")
    players: int = Field(ge=1, le=256, description="Players in every game.")
    options: Options = Field(default={}, description="Options of the environment itself.")
    turn_limit: int = Field(
        default=200, ge=1, le=65_536, description="A game that is longer is a draw."
    )
    time_limit: float | None = Field(
        default=None,
        gt=0,
        le=86_400,
        allow_inf_nan=False,
        description="Seconds that an agent has for one turn; by default as many as it takes.",
    )
    overflow: Literal["void", "truncate-oldest", "lose"] = Field(
        default="void", description="What a conversation longer than a model's context does."
    )
    referee: RefereeConfig | None = Field(
        default=None, description="Who judges, where the rules ask somebody."
    )


class MatchmakerConfig(Shape):
    """Who plays whom. Every key but `name` is an option of the matchmaker."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)
    __pydantic_extra__: dict[str, JsonValue] = Field(init=False)

    name: Name = Field(default="round-robin", description="round-robin, random, informative, ...")

    @property
    def options(self) -> Options:
        return dict(self.__pydantic_extra__ or {})


class LimitsConfig(Shape):
    """What a provider takes of one model; by default as much as it is found to take."""

    concurrency: int | None = Field(
        default=None, ge=1, le=100_000, description="Calls at the same time."
    )
    requests_per_minute: PerMinute | None = Field(default=None, description="Calls per minute.")
    tokens_per_minute: PerMinute | None = Field(
        default=None, description="Tokens per minute, of requests and answers together."
    )


class UpstreamConfig(Shape):
    """Which of the providers behind OpenRouter answer, so that it is the same ones every time."""

    order: tuple[Name, ...] = Field(
        min_length=1, strict=False, description="Who is asked, first to last: anthropic, ..."
    )
    fallbacks: bool = Field(default=False, description="Ask others where none of them answers.")
    quantizations: tuple[Name, ...] = Field(
        default=(), strict=False, description="Weights that are taken: fp8, bf16, ..."
    )

    def routing(self) -> dict[str, JsonValue]:
        """The same as OpenRouter takes it (its `provider` object)."""
        found: dict[str, JsonValue] = {
            "order": list(self.order),
            "allow_fallbacks": self.fallbacks,
        }
        if self.quantizations:
            found["quantizations"] = list(self.quantizations)
        return found


class ModelConfig(Shape):
    """A model as its provider is asked for it."""

    name: Name = Field(description="What agents call it.")
    litellm_model: Name = Field(description="openai/gpt-4o-mini, ollama_chat/llama3.2, ...")
    params: Options = Field(default={}, description="Sent with every call: temperature, ...")
    api_base: str | None = Field(default=None, min_length=1, description="URL of the endpoint.")
    api_key_env: KeyVariable | None = Field(
        default=None,
        description="The environment variable that holds the key; never the key itself.",
    )
    api_key_file: KeyFile | None = Field(
        default=None, description="Instead of it the file that holds the key alone: /keys/openai."
    )
    stream: bool = Field(
        default=False, description="Measure the time to the first token, for ten times the CPU."
    )
    input_price: Price | None = Field(default=None, description="Dollars per million tokens.")
    output_price: Price | None = Field(default=None, description="Dollars per million tokens.")
    provider: Name | None = Field(
        default=None, description="Who answers; by default the provider of `llm`."
    )
    system: Literal["system", "user"] = Field(
        default="system", description="`user` for a model that takes no system message."
    )
    upstream: UpstreamConfig | None = Field(
        default=None, description="Which providers OpenRouter asks; by default any."
    )
    cache: bool = Field(
        default=False,
        description="Have the provider cache prompts where it wants to be told; no part of the "
        "model.",
    )
    limits: LimitsConfig = Field(
        default=LimitsConfig(), description="How fast it may be asked; no part of the model."
    )
    budget: Dollars | None = Field(
        default=None, description="Most dollars to spend on it; no part of the model."
    )

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        if self.api_key_env is not None and self.api_key_file is not None:
            raise ValueError("expected either 'api_key_env' or 'api_key_file', found both")
        return self

    @model_validator(mode="after")
    def _upstream_of_openrouter(self) -> Self:
        if self.upstream is None:
            return self
        if not self.litellm_model.startswith("openrouter/"):
            raise ValueError(
                f"expected 'upstream' at a model of OpenRouter's (openrouter/...), found it at "
                f"{self.litellm_model!r}"
            )
        body = self.params.get("extra_body")
        if body is not None and (not isinstance(body, dict) or "provider" in body):
            raise ValueError("expected either 'upstream' or 'extra_body.provider', found both")
        return self

    def spec(self) -> ModelSpec:
        """The same, as the arena's other rooms know it."""
        own = self.model_dump(exclude={"limits", "budget", "cache", "upstream"})
        if self.upstream is not None:
            body = own["params"].get("extra_body") or {}
            routing = {"provider": self.upstream.routing()}
            own["params"] = {**own["params"], "extra_body": {**body, **routing}}
        return ModelSpec(**own)


class PromptConfig(Shape):
    """A prompt, from a file beside this one or as text; never changed once it has played."""

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [name]} for name in ("file", "text", "instructions")]
        }
    )

    name: Name = Field(description="What agents call it.")
    file: str | None = Field(
        default=None, min_length=1, description="A text file in this folder or below it."
    )
    text: str | None = Field(default=None, min_length=1, description="The prompt itself.")
    instructions: InstructionsConfig | None = Field(
        default=None, description="The prompt in parts: purpose, tone, capabilities, knowledge."
    )
    forked_from: Name | None = Field(default=None, description="The prompt it was made from.")

    _content: str = PrivateAttr(default="")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [each for each in (self.file, self.text, self.instructions) if each is not None]
        if len(given) != 1:
            found = {0: "neither", 2: "both"}.get(len(given), "all")
            raise ValueError(f"expected either 'file' or 'text' or 'instructions', found {found}")
        self._content = self.text or (self.instructions.text() if self.instructions else "")
        return self

    @property
    def content(self) -> str:
        """The text, wherever it was written."""
        return self._content


class GridConfig(Shape):
    """Every kind with every model and every prompt: agents that are called KIND/MODEL/PROMPT."""

    models: tuple[Name, ...] = Field(
        min_length=1, strict=False, description="Models of this file or of the catalogue."
    )
    prompts: tuple[Name, ...] = Field(
        min_length=1, strict=False, description="Prompts of this file or of the catalogue."
    )
    kinds: tuple[Name, ...] = Field(
        default=("thinking",), min_length=1, strict=False, description="thinking, remembering, ..."
    )


class GridEntry(Shape):
    """A grid in the place of an agent, or of all."""

    grid: GridConfig


class LLMConfig(Shape):
    """How patient the arena is with providers; not part of what the tournament is."""

    timeout: float = Field(
        default=120, gt=0, le=86_400, allow_inf_nan=False, description="Seconds for one attempt."
    )
    retries: int = Field(default=4, ge=0, le=100, description="Further attempts of a failed call.")
    patience: float = Field(
        default=600,
        gt=0,
        le=604_800,
        allow_inf_nan=False,
        description="Seconds that a model may only fail before its games are paused.",
    )
    doubt: float = Field(
        default=30,
        gt=0,
        le=604_800,
        allow_inf_nan=False,
        description="The same for a model that has never answered: its address may be wrong, or "
        "its server is still starting.",
    )
    provider: Name = Field(
        default="litellm", description="Who answers for models that name no provider of their own."
    )


class CacheConfig(Shape):
    """Answers that are on record already, given again to equal requests."""

    ttl: float = Field(gt=0, allow_inf_nan=False, description="Seconds that an answer is good for.")
    rated: bool = Field(
        default=False, description="Also in games that move ratings; else they are only kept."
    )


class RecordConfig(Shape):
    """What is recorded beside what a game needs; no part of what the tournament is."""

    logprobs: bool = Field(
        default=False,
        description="Ask for the tokens of every answer with their log-probabilities, and for "
        "their ids, where the provider has such; for training data, and larger by far.",
    )


class PoolConfig(Shape):
    """The agents of this tournament are a reference pool, which `arena place` rates others by."""

    name: Name = Field(description="What `arena place AGENT --against` calls it.")
    frozen: Literal[True] = Field(
        default=True, description="Its ratings are of its own games: what is placed moves nothing."
    )
    games: int = Field(
        default=100, ge=1, le=1_000_000, description="Games of an agent that is placed."
    )

"""Rows of the catalogue as the other rooms know models and agents."""

from __future__ import annotations

from arena.core import AgentSpec, ConfigError, ModelSpec, prompts
from db import Agent, Model


def model_spec(row: Model) -> ModelSpec:
    """A model of the catalogue as the LLM client takes it."""
    return ModelSpec(
        name=row.name,
        litellm_model=row.litellm_model_name,
        params=row.params,
        api_base=row.api_base,
        api_key_env=row.api_key_env,
        api_key_file=row.api_key_file,
        stream=row.stream,
        input_price=row.input_price,
        output_price=row.output_price,
        provider=row.provider,
        system=row.system or "system",
    )


def model_columns(spec: ModelSpec) -> dict[str, object]:
    """The columns of a model but its name: the other way round."""
    return {
        "litellm_model_name": spec.litellm_model,
        "params": dict(spec.params),
        "api_base": spec.api_base,
        "api_key_env": spec.api_key_env,
        "api_key_file": spec.api_key_file,
        "stream": spec.stream,
        "input_price": spec.input_price,
        "output_price": spec.output_price,
        "provider": spec.provider,
        "system": None if spec.system == "system" else spec.system,
    }


def agent_spec(row: Agent) -> AgentSpec:
    """An agent of the catalogue as a game seats it."""
    options, beside = prompts.parted(row.options)
    return AgentSpec(
        agent_id=key_of(row),
        name=row.label,
        kind=row.kind.name,
        kind_version=row.kind.version,
        model=model_spec(row.model),
        prompt=row.prompt.content,
        options=options,
        vars=beside["vars"],
        tools=tuple(beside["tools"]),
        tool_limits=beside["tool_limits"],
    )


def key_of(row: object) -> int:
    """The key of a row that has been flushed."""
    key = getattr(row, "id", None)
    if not isinstance(key, int):
        raise ConfigError(f"{row!r} has no key")
    return key

"""What is said of an agent's call in traces and metrics alike."""

from __future__ import annotations

from arena.core import AgentSpec, CallAnswer, CallIntent
from arena.core.text import one_line
from arena.llm.genai_names import named

_LONGEST = 200


def shown(text: str) -> str:
    """A stranger's text as an attribute: one lone surrogate in it would end an export whole."""
    return one_line(text, _LONGEST)


def provider_and_model(agent: AgentSpec) -> tuple[str, str]:
    """Who answers an agent's calls, and what is asked there."""
    spec = agent.model
    if spec.provider not in (None, "litellm"):
        return str(spec.provider), shown(spec.litellm_model)
    provider, model = named(spec.litellm_model)
    return shown(provider), shown(model)


def call_attributes(agent: AgentSpec, intent: CallIntent, answer: CallAnswer) -> dict[str, str]:
    """The attributes by which calls are told apart: few values each."""
    provider, model = provider_and_model(agent)
    found = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
    }
    if answer.model_answered is not None:
        found["gen_ai.response.model"] = shown(answer.model_answered)
    if answer.error_class is not None:
        found["error.type"] = shown(answer.error_class)
    return found

"""Models by their names in LiteLLM: what its price list says of one, and what is said of a name
that it cannot place."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from typing import Any

from arena.core import ModelSpec


def unknown_model(model: ModelSpec, known: Collection[str]) -> str:
    """For a name that LiteLLM does not know: the nearest of the known ones, and the form of one."""
    near = difflib.get_close_matches(model.litellm_model, known, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(repr(name) for name in near)}?" if near else "."
    return (
        f"model {model.name!r} is {model.litellm_model!r}, which no provider knows{hint} "
        "A name is <provider>/<model>, as in openai/gpt-4o-mini or scripted/random"
    )


def unknown_protocol(model: ModelSpec) -> str:
    """For a name without a provider at a server of one's own."""
    return (
        f"model {model.name!r} is {model.litellm_model!r} at {model.api_base}, and nothing says "
        "which protocol that server speaks; a server that speaks OpenAI's (Ollama, vLLM, "
        f"llama.cpp) is named with the prefix openai/: openai/{model.litellm_model}"
    )


def listed_entry(
    listed: Mapping[str, Mapping[str, Any]], model: ModelSpec
) -> Mapping[str, Any] | None:
    """The model's entry in LiteLLM's price list."""
    if model.api_base is not None:
        return None
    entry = listed.get(model.litellm_model)
    if entry is None:
        _, _, bare = model.litellm_model.partition("/")
        entry = listed.get(bare)
        if entry is None or not model.litellm_model.startswith(f"{entry.get('litellm_provider')}/"):
            return None
    return entry

"""What of a model's params and key LiteLLM refuses before anything is sent."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from arena.core import ModelSpec, UsageError
from arena.llm.failures.classify import said_in
from arena.llm.request import PER_CALL
from arena.llm.scripted.policies import is_scripted
from arena.llm.secrets import check_key

_FORMS = ("response_format", "tools", "tool_choice")


def unknown_to_provider(litellm: Any, model: ModelSpec) -> list[str]:
    """The forms of an answer that a model is asked for and its provider does not have: LiteLLM
    would refuse the call, and an answer can be read without them."""
    wanted = [name for name in _FORMS if name in model.params]
    if not wanted or is_scripted(model):
        return []
    name, provider, _, _ = litellm.get_llm_provider(model.litellm_model, api_base=model.api_base)
    known = litellm.get_supported_openai_params(model=name, custom_llm_provider=provider)
    return [] if known is None else [name for name in wanted if name not in known]


def check_tools_taken(litellm: Any, model: ModelSpec) -> None:
    """Raises UsageError for a model whose provider takes no tools, as far as LiteLLM knows."""
    offering = replace(model, params={**model.params, "tools": []})
    if "tools" in unknown_to_provider(litellm, offering):
        raise UsageError(
            f"the model {model.name!r} ({model.litellm_model}) plays for an agent with tools, and "
            "its provider takes none, says LiteLLM: give the agent another model, or remove its "
            "`tools`"
        )


def signs_thoughts(litellm: Any, model: ModelSpec) -> bool:
    """Whether a model thinks and wants its signed thoughts back with what a tool said: Claude, in
    Anthropic's own form of messages, wherever it is served."""
    thinking, effort = model.params.get("thinking"), model.params.get("reasoning_effort")
    kind = thinking.get("type") if isinstance(thinking, Mapping) else thinking
    if kind in (None, False, "disabled") and effort in (None, "none"):
        return False
    _, provider, _, _ = litellm.get_llm_provider(model.litellm_model, api_base=model.api_base)
    served = provider in {"azure_ai", "bedrock", "bedrock_converse", "vertex_ai"}
    return provider == "anthropic" or (served and "claude" in model.litellm_model)


def check_accepted(litellm: Any, model: ModelSpec) -> None:
    """Raises UsageError for params that LiteLLM refuses before anything is sent."""
    params = {name: value for name, value in model.params.items() if name != "extra_headers"}
    if params.get("seed") == PER_CALL:
        params["seed"] = 1
    for name in unknown_to_provider(litellm, model):
        del params[name]
    name, provider, _, _ = litellm.get_llm_provider(model.litellm_model, api_base=model.api_base)
    try:
        litellm.get_optional_params(model=name, custom_llm_provider=provider, **deepcopy(params))
    except litellm.UnsupportedParamsError as error:
        said = said_in(str(error)).partition(" To drop ")[0].strip()
        raise UsageError(
            f"model {model.name!r} ({model.litellm_model}) cannot be asked with these params, says "
            f"LiteLLM: {said}\nRemove them from the model's `params`."
        ) from error
    except Exception:
        # What it cannot tell without a request is told by the first one.
        return


_KEY_VARIABLE = re.compile(r"(\w+?)(?:AI)?_API_KEY")


def check_found(model: ModelSpec, provider: str, missing: Sequence[str]) -> None:
    """Raises UsageError where every variable that LiteLLM misses is for a key, and none with the
    provider's name and a key is set: a provider may have other ways to be given credentials."""
    stems = [found[1] for name in missing if (found := _KEY_VARIABLE.fullmatch(name))]
    others = {"HUGGINGFACE": "HF"}
    prefixes = tuple({*stems, *(others[stem] for stem in stems if stem in others)})
    given = {
        name: value
        for name, value in os.environ.items()
        if value and name.startswith(prefixes or "\0") and re.search(r"KEY|TOKEN", name)
    }
    if missing and len(stems) == len(missing) and not given:
        raise UsageError(
            f"model {model.name!r} ({model.litellm_model}) needs a key in the environment variable "
            f"{' or '.join(missing)}, which is not set; type: export {missing[-1]}=... "
            "(a model may name another variable in `api_key_env`)"
        )
    usual = f"{provider.upper()}_API_KEY"
    if value := os.environ.get(usual):
        check_key(model, usual, value)

"""Reads which tokens an answer is made of, and how likely each was, where the provider says so.

The forms are those of OpenAI (`logprobs.content` of a choice, and the older `logprobs.tokens`) and
of vLLM (`token_ids`). A stranger's numbers: what is of no use is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from arena.core import ModelSpec
from arena.llm.failures.inside import Heard

_MOST = 200_000  # tokens of an answer
_LONGEST = 256  # characters of a token
_MOST_TOKEN_ID = 2**31


def asking(litellm: Any, model: ModelSpec) -> dict[str, Any]:
    """The arguments of LiteLLM's that ask for the tokens of an answer, where its provider takes
    such: no part of the request that is recorded, because they change nothing of the answer."""
    name, provider, _, _ = litellm.get_llm_provider(model.litellm_model, api_base=model.api_base)
    known = litellm.get_supported_openai_params(model=name, custom_llm_provider=provider) or ()
    found: dict[str, Any] = {}
    if "logprobs" in known and "logprobs" not in model.params:
        found["logprobs"] = True
    if provider == "hosted_vllm":
        own = model.params.get("extra_body")
        found["extra_body"] = {"return_token_ids": True, **(own if isinstance(own, dict) else {})}
    return found


def listen(choice: Mapping[str, Any], heard: Heard) -> None:
    """Take what a choice, or a piece of one, says of its tokens."""
    found = choice.get("logprobs")
    if isinstance(found, Mapping):
        content = found.get("content")
        if isinstance(content, list):
            said = [
                (one.get("token"), one.get("logprob")) for one in content if isinstance(one, dict)
            ]
        else:
            both = [found.get(name) for name in ("tokens", "token_logprobs")]
            lists = [one for one in both if isinstance(one, list)]
            said = [*zip(*lists, strict=False)] if len(lists) == 2 else []
        for token, number in said[: _MOST - len(heard.logprobs)]:
            if isinstance(token, str):
                heard.logprobs.append((token[:_LONGEST], _number(number)))
    ids = choice.get("token_ids")
    if isinstance(ids, list) and all(type(one) is int and 0 <= one < _MOST_TOKEN_ID for one in ids):
        heard.token_ids += ids[: _MOST - len(heard.token_ids)]


def recorded_tokens(heard: Heard) -> dict[str, Any]:
    """What is stored of them beside an answer: `logprobs`, the tokens and the natural logarithm of
    the probability of each, and `token_ids`; nothing where nothing was said."""
    found: dict[str, Any] = {}
    if heard.logprobs:
        found["logprobs"] = {
            "tokens": [token for token, _ in heard.logprobs],
            "token_logprobs": [number for _, number in heard.logprobs],
        }
    if heard.token_ids:
        found["token_ids"] = heard.token_ids
    return found


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)

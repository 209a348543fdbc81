"""The LiteLLM provider `scripted`: a program answers where a model would.

A reply is a function of the request alone: the messages and LiteLLM's standard `seed`. Tokens are
an estimate, four characters each; they cost nothing.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any

from arena.core import Message, Policy, UsageError
from arena.llm.request import feed

NAME = "scripted"

Policies = Mapping[str, Policy] | Callable[[str], Policy]


def policy_of(policies: Policies, name: str) -> Policy:
    """The policy of a name. Raises UsageError for one that is not there."""
    if callable(policies):
        return policies(name)
    try:
        return policies[name]
    except KeyError:
        known = ", ".join(sorted(policies)) or "none"
        raise UsageError(f"unknown scripted model {name!r}; known: {known}") from None


def rng_of(messages: Sequence[Message], seed: int | None) -> random.Random:
    """The generator of one reply, from the seed and the conversation."""
    digest = blake2b(b"%d" % (seed or 0), digest_size=8)
    for message in messages:
        feed(digest, message["content"].encode("utf-8", "surrogatepass"))
    return random.Random(int.from_bytes(digest.digest(), "big"))


def tokens(text: str) -> int:
    """About how many tokens a text has: a quarter of its characters, rounded up."""
    return -(-len(text) // 4)


def install(policies: Policies) -> None:
    """Makes `scripted/<name>` known to LiteLLM in this process; the last one to do so answers
    requests that do not bring a policy of their own."""
    import litellm

    provider = _provider(policies)
    others = [item for item in litellm.custom_provider_map if item["provider"] != NAME]
    litellm.custom_provider_map = [*others, {"provider": NAME, "custom_handler": provider}]


def list_free(name: str) -> None:
    """Puts `scripted/<name>` on LiteLLM's price list as free: the search for a price that is not
    there costs a quarter of a call."""
    import litellm

    litellm.register_model(
        {
            f"{NAME}/{name}": {
                "litellm_provider": NAME,
                "mode": "chat",
                "input_cost_per_token": 0.0,
                "output_cost_per_token": 0.0,
                "cache_creation_input_token_cost": 0.0,
                "cache_read_input_token_cost": 0.0,
            }
        }
    )


def _provider(policies: Policies) -> Any:
    import litellm

    found: dict[str, Policy] = {}

    def reply(model: str, messages: Sequence[Message], given: Policy | None, options: Any) -> str:
        policy = given or found.get(model)
        if policy is None:
            policy = found[model] = policy_of(policies, model)
        try:
            return policy(messages, rng_of(messages, (options or {}).get("seed")))
        except Exception as error:
            # LiteLLM takes any other exception for a lost connection.
            raise litellm.BadRequestError(
                f"the scripted model {model!r} raised {type(error).__name__}: {error}",
                model=model,
                llm_provider=NAME,
            ) from error

    class Scripted(litellm.CustomLLM):  # type: ignore[misc]
        """`client`, LiteLLM's slot for whatever carries a request, may bring the policy: so two
        clients in one process do not answer with each other's."""

        async def acompletion(
            self,
            model: str,
            messages: list[Message],
            model_response: Any,
            optional_params: Any = None,
            client: Any = None,
            **_: Any,
        ) -> Any:
            text = reply(model, messages, client, optional_params)
            choice = model_response.choices[0]
            choice.message.content = text
            choice.finish_reason = "stop"
            model_response.model = model
            prompt = sum(tokens(message["content"]) for message in messages)
            completion = tokens(text)
            model_response.usage = litellm.Usage(
                prompt_tokens=prompt,
                completion_tokens=completion,
                total_tokens=prompt + completion,
            )
            # Saves LiteLLM the calculation.
            model_response._hidden_params["response_cost"] = 0.0
            return model_response

        async def astreaming(
            self,
            model: str,
            messages: list[Message],
            optional_params: Any = None,
            client: Any = None,
            **_: Any,
        ) -> AsyncIterator[dict[str, Any]]:
            text = reply(model, messages, client, optional_params)
            prompt = sum(tokens(message["content"]) for message in messages)
            words = text.split(" ")
            for position, word in enumerate(words):
                yield _chunk(word if position == 0 else f" {word}")
            yield _chunk("", finish="stop", prompt=prompt, completion=tokens(text))

    return Scripted()


def _chunk(
    text: str, finish: str | None = None, prompt: int = 0, completion: int = 0
) -> dict[str, Any]:
    usage = None
    if finish is not None:
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }
    return {
        "text": text,
        "is_finished": finish is not None,
        "finish_reason": finish or "",
        "index": 0,
        "tool_use": None,
        "usage": usage,
    }

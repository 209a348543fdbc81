"""Makes `scripted/<name>` a provider of LiteLLM's: a program answers where a model would.

The policy comes with each request, in LiteLLM's slot for whatever carries one (`client`), so that
nothing of it is kept in the process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from arena.core import Message, Policy, text_of
from arena.core.plugins import raised
from arena.llm.scripted.policies import PREFIX, rng_of, tokens

_NAME = PREFIX.removesuffix("/")


def install() -> None:
    """Makes scripted models known to LiteLLM in this process; again changes nothing."""
    import litellm

    if not any(item["provider"] == _NAME for item in litellm.custom_provider_map):
        scripted = {"provider": _NAME, "custom_handler": _handler(litellm)}
        litellm.custom_provider_map = [*litellm.custom_provider_map, scripted]


def list_free(model: str) -> None:
    """Puts a scripted model on LiteLLM's price list as free: the search for a price that is not
    there costs a quarter of a call."""
    import litellm

    litellm.register_model(
        {
            model: {
                "litellm_provider": _NAME,
                "mode": "chat",
                "input_cost_per_token": 0.0,
                "output_cost_per_token": 0.0,
                "cache_creation_input_token_cost": 0.0,
                "cache_read_input_token_cost": 0.0,
            }
        }
    )


def _handler(litellm: Any) -> Any:
    def reply(model: str, messages: Sequence[Message], policy: Policy, options: Any) -> str:
        try:
            text = policy(messages, rng_of(messages, (options or {}).get("seed")))
            if not isinstance(text, str):
                raise TypeError(f"it answered with {type(text).__name__}; expected text")
            return text
        except (Exception, SystemExit) as error:
            # LiteLLM takes any other exception for a lost connection.
            raise litellm.BadRequestError(
                f"the scripted model {model!r} raised {raised(error)}",
                model=model,
                llm_provider=_NAME,
            ) from error

    class Scripted(litellm.CustomLLM):  # type: ignore[misc]
        async def acompletion(
            self,
            model: str,
            messages: list[Message],
            model_response: Any,
            client: Policy,
            optional_params: Any = None,
            **_: Any,
        ) -> Any:
            text = reply(model, messages, client, optional_params)
            choice = model_response.choices[0]
            choice.message.content = text
            choice.finish_reason = "stop"
            model_response.model = model
            prompt = sum(tokens(text_of(message)) for message in messages)
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
            client: Policy,
            optional_params: Any = None,
            **_: Any,
        ) -> AsyncIterator[dict[str, Any]]:
            text = reply(model, messages, client, optional_params)
            prompt = sum(tokens(text_of(message)) for message in messages)
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

"""Makes `scripted/<name>` a provider of LiteLLM's: a program answers where a model would.

The policy comes with each request, in LiteLLM's slot for whatever carries one (`client`), so that
nothing of it is kept in the process.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

from arena.core import Message, Policy, ToolCall, text_of
from arena.core.plugins import raised
from arena.llm.scripted.policies import PREFIX, answer_of, rng_of, tokens

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
    def reply(
        model: str, messages: Sequence[Message], policy: Policy, options: Any
    ) -> tuple[str, list[dict[str, Any]]]:
        try:
            asked = options or {}
            rng = rng_of(messages, asked.get("seed"))
            text, calls = answer_of(policy, messages, rng, asked.get("tools") or ())
            return text, [_call(index, call) for index, call in enumerate(calls)]
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
            text, calls = reply(model, messages, client, optional_params)
            choice = model_response.choices[0]
            choice.message.content = text
            choice.finish_reason = "stop"
            if calls:
                made = litellm.types.utils.ChatCompletionMessageToolCall
                choice.message.tool_calls = [
                    made(id=call["id"], type="function", function=call["function"])
                    for call in calls
                ]
                choice.finish_reason = "tool_calls"
            model_response.model = model
            prompt = sum(tokens(text_of(message)) for message in messages)
            completion = tokens(text) + _call_tokens(calls)
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
            text, calls = reply(model, messages, client, optional_params)
            prompt = sum(tokens(text_of(message)) for message in messages)
            words = text.split(" ")
            for position, word in enumerate(words):
                yield _chunk(word if position == 0 else f" {word}")
            for call in calls:
                yield _chunk("", tool=call)
            finish = "tool_calls" if calls else "stop"
            completion = tokens(text) + _call_tokens(calls)
            yield _chunk("", finish=finish, prompt=prompt, completion=completion)

    return Scripted()


def _call(index: int, call: ToolCall) -> dict[str, Any]:
    function = {"name": call.name, "arguments": call.arguments}
    return {"index": index, "id": f"scripted{index}", "type": "function", "function": function}


def _call_tokens(calls: Sequence[dict[str, Any]]) -> int:
    return sum(tokens(call["function"]["name"] + call["function"]["arguments"]) for call in calls)


def _chunk(
    text: str,
    finish: str | None = None,
    prompt: int = 0,
    completion: int = 0,
    tool: dict[str, Any] | None = None,
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
        "tool_use": tool,
        "usage": usage,
    }

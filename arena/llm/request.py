"""What is sent to a model, and what of it is stored; pure, and without LiteLLM."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from arena.core import CallOptions, ContentPart, Message, ModelSpec, UsageError, text_of
from arena.core.secret_names import is_secret_name, referred
from arena.llm.request_hash import TOOL_FIELDS

# Stored with their values. Anything else that a model's params hold is sent, and stored by name
# only: an unknown parameter may be a credential.
STORED = frozenset(
    {
        "extra_body",
        "frequency_penalty",
        "keep_alive",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "min_p",
        "modalities",
        "num_ctx",
        "num_predict",
        "presence_penalty",
        "reasoning",
        "reasoning_effort",
        "repeat_penalty",
        "repetition_penalty",
        "response_format",
        "seed",
        "service_tier",
        "stop",
        "temperature",
        "thinking",
        "tool_choice",
        "tools",
        "top_k",
        "top_logprobs",
        "top_p",
        "verbosity",
    }
)

# The seed of a model whose every call has a seed of its own.
PER_CALL = "per_call"

_ELSEWHERE = {
    "api_base": "`api_base` of the model",
    "api_key": "`api_key_env` of the model, with the name of the variable that holds it",
    "base_url": "`api_base` of the model",
    "headers": "`extra_headers` of the params, each as NAME: $VARIABLE",
    "stream": "`stream` of the model",
    "stream_options": "`stream` of the model",
}

_REFUSED = frozenset(
    {
        "caching",
        "callbacks",
        "client",
        "context_window_fallback_dict",
        "custom_llm_provider",
        "drop_params",
        "fallbacks",
        "max_retries",
        "messages",
        "metadata",
        "mock_response",
        "model",
        "model_list",
        "n",
        "num_retries",
        "retry_policy",
        "timeout",
    }
)

# Words of params that would send requests, or have files read, somewhere else.
_ROUTES = frozenset(
    {"base", "cert", "certificate", "endpoint", "host", "hostname", "proxy", "ssl", "uri", "url"}
)
# Words of params that become a part of a host's name.
_IN_HOSTS = frozenset({"account", "domain", "location", "project", "region", "resource", "zone"})
_HOST_PART = re.compile(r"[A-Za-z0-9._:-]*")
_FETCHED = re.compile(r"(?i)\s*(os\.environ/|oidc/)")
_FILE = re.compile(r"~|/|\.{1,2}[/\\]|[A-Za-z]:[/\\]|file:")

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# They say how a request is carried, which is not a model's to say.
_CARRIED = frozenset(
    {"connection", "content-length", "content-type", "host", "te", "trailer", "transfer-encoding"}
)

# A kind offers them with a call, and reads what becomes of them.
_OF_KINDS = ("tools", "tool_choice", "functions", "function_call", "parallel_tool_calls")

# Every provider takes these by the same type: what is expected, and the least.
_WHOLE, _NUMBER = "a whole number", "a number"
_NUMBERS = {
    "frequency_penalty": (_NUMBER, -math.inf),
    "max_completion_tokens": (_WHOLE, 1),
    "max_tokens": (_WHOLE, 1),
    "min_p": (_NUMBER, 0),
    "presence_penalty": (_NUMBER, -math.inf),
    "repetition_penalty": (_NUMBER, 0),
    "seed": (_WHOLE, -math.inf),
    "temperature": (_NUMBER, 0),
    "top_k": (_WHOLE, -1),  # vLLM: no limit
    "top_p": (_NUMBER, 0),
}

_SECRET_FIELDS = ("key", "secret", "token", "password", "authorization", "credential")


def check_params(model: ModelSpec) -> None:
    """Raises UsageError for params that are not a model's to set."""
    for name in model.params:
        if name in _ELSEWHERE:
            raise UsageError(
                f"model {model.name!r} has {name!r} in its params; it belongs in {_ELSEWHERE[name]}"
            )
        if name in _REFUSED:
            raise UsageError(
                f"model {model.name!r} has {name!r} in its params, which the arena itself sets; "
                "remove it"
            )
        if name not in STORED and name != "extra_headers":
            _check_route(model, name, model.params[name])
    _check_headers(model)
    if "://" in model.litellm_model:
        raise UsageError(
            f"model {model.name!r} has an address for its litellm_model; it belongs in "
            "`api_base` of the model"
        )
    for name, (expected, least) in _NUMBERS.items():
        _check_number(model, name, expected, least)


def _check_number(model: ModelSpec, name: str, expected: str, least: float) -> None:
    found = model.params.get(name)
    if found is None or (name == "seed" and found == PER_CALL):
        return
    kinds = int if expected == _WHOLE else (int, float)
    if isinstance(found, bool) or not isinstance(found, kinds) or not least <= found < math.inf:
        above = f", {least} or more" if least > -math.inf else ""
        each = f", or {PER_CALL} for a seed of its own in every call" if name == "seed" else ""
        raise UsageError(
            f"model {model.name!r} has the {name} {found!r} in its params; expected "
            f"{expected}{above}{each}"
        )


def check_written(model: ModelSpec) -> None:
    """Raises UsageError for params that a call may have, and a model itself may not."""
    for name in _OF_KINDS:
        if name in model.params:
            raise UsageError(
                f"model {model.name!r} has {name!r} in its params, and nobody would read the calls "
                "of tools that it answers with, so that every turn would be silent; remove it: "
                "tools are offered by a kind of agent"
            )


def _check_route(model: ModelSpec, name: str, value: object) -> None:
    # What a database holds was looked at by nobody: credentials may name a file, and who gets it.
    if (secret := _secret_in(name, value)) is not None:
        raise UsageError(
            f"model {model.name!r} has {secret!r:.80} in its params, which looks like a secret or "
            "would have one read; remove it: keys belong in environment variables"
        )
    words = set(re.split(r"[^a-z]+", name.lower()))
    if _ROUTES & words or (isinstance(value, str) and ("://" in value or _FILE.match(value))):
        raise UsageError(
            f"model {model.name!r} has {name!r} in its params, which sends requests elsewhere or "
            "has a file read, and a tournament file may be a stranger's; an address belongs in "
            "`api_base` of the model, other settings of LiteLLM's into its environment variables"
        )
    if _IN_HOSTS & words and isinstance(value, str) and not _HOST_PART.fullmatch(value):
        raise UsageError(
            f"model {model.name!r} has {name}: {value!r} in its params; expected letters, digits, "
            "'-', '.', ':' and '_', because it becomes a part of the address"
        )


def _secret_in(name: str, value: object) -> str | None:
    """The name of a secret in a param, at whatever depth, or of what would have one read."""
    waiting: list[tuple[str, object]] = [(name, value)]
    while waiting:
        at, inner = waiting.pop()
        if is_secret_name(at, inner) or (isinstance(inner, str) and _FETCHED.match(inner)):
            return at
        if isinstance(inner, Mapping):
            waiting += [(str(key), each) for key, each in inner.items()]
        elif isinstance(inner, list | tuple):
            waiting += [(at, each) for each in inner]
    return None


def _check_headers(model: ModelSpec) -> None:
    headers = model.params.get("extra_headers", {})
    if not isinstance(headers, Mapping):
        raise UsageError(
            f"model {model.name!r} has extra_headers that are no mapping; expected NAME: $VARIABLE"
        )
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER.fullmatch(name) or name.lower() in _CARRIED:
            raise UsageError(
                f"model {model.name!r} has {str(name)[:60]!r} in its extra_headers, which is no "
                "name of a header that a model may set; remove it"
            )
        if referred(value) is None:
            raise UsageError(
                f"model {model.name!r} has the header {name} written out, and what is written is "
                "stored; expected $VARIABLE, or Bearer $VARIABLE, with the value in that "
                "environment variable"
            )


_LIMITS = ("max_tokens", "max_completion_tokens", "num_predict")


def asked(model: ModelSpec, options: CallOptions | None) -> ModelSpec:
    """The model with the params of one call in the place of its own."""
    if options is None:
        return model
    params = dict(model.params)
    if options.max_tokens is not None:
        limits = [name for name in _LIMITS if isinstance(params.get(name), int)]
        for name in limits or ([] if options.at_least else _LIMITS[:1]):
            least = params[name] if options.at_least else 0
            params[name] = max(options.max_tokens, least)
    if options.response_format is not None:
        params["response_format"] = dict(options.response_format)
    if options.tools:
        params["tools"] = [dict(tool) for tool in options.tools]
    if options.tool_choice is not None:
        params["tool_choice"] = options.tool_choice
    # One that stays as it is has been prepared already.
    return model if params == model.params else replace(model, params=params)


def stored_request(model: ModelSpec, seed: int | None) -> dict[str, Any]:
    """The allow-listed fields of a request, as they are recorded and hashed; `seed` is the one
    sent for this call, or None."""
    request: dict[str, Any] = {}
    others = []
    for name, value in model.params.items():
        if name == "seed" and value == PER_CALL:
            continue
        if name in STORED:
            request[name] = _without_secrets(value)
        else:
            others.append(name)
    if others:
        request["also_sent"] = sorted(others)
    if model.stream:
        request["stream"] = True
    if seed is not None:
        request["seed"] = seed
    return request


def _without_secrets(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            name: "[secret]" if _is_secret(name, inner) else _without_secrets(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_without_secrets(inner) for inner in value]
    return value


def _is_secret(name: object, value: object) -> bool:
    return isinstance(value, str) and any(word in str(name).lower() for word in _SECRET_FIELDS)


def sendable(messages: Sequence[Message]) -> list[Message]:
    """Fresh messages, with nothing in them that the caller may write to, and that can be written
    as UTF-8: a lone surrogate, which no request can carry, becomes U+FFFD."""
    return [_sendable(message) for message in messages]


def _sendable(message: Message) -> Message:
    fresh: Message = {"role": message["role"], "content": _copied(message["content"])}
    if len(message) > len(fresh):
        for name in TOOL_FIELDS:
            if name in message:
                fresh[name] = _copied(message[name])
    return fresh


def _copied(value: Any) -> Any:
    """A copy of a JSON value, its texts writable."""
    if isinstance(value, str):
        return _writable(value)
    if isinstance(value, Mapping):
        return {name: _copied(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(inner) for inner in value]
    return value


def _writable(text: str) -> str:
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def sent_seed(model: ModelSpec, seed: int | None) -> int | None:
    """The call's own seed where the model is sent one: a scripted model, and one whose params ask
    for it."""
    own = model.litellm_model.startswith("scripted/") or model.params.get("seed") == PER_CALL
    return seed if own else None


def addressed(model: ModelSpec, messages: Sequence[Message]) -> Sequence[Message]:
    """The messages in the roles that the model takes: for one without a system role (`system:
    user`) the first user message begins with what the system messages say."""
    leading = next((i for i, m in enumerate(messages) if m["role"] != "system"), len(messages))
    if model.system != "user" or not leading:
        return messages
    system = "\n\n".join(text_of(message) for message in messages[:leading])
    rest = list(messages[leading:])
    if not rest or rest[0]["role"] != "user":
        return [{"role": "user", "content": system}, *rest]
    first = rest[0]["content"]
    content: str | list[ContentPart]
    if isinstance(first, str):
        content = f"{system}\n\n{first}"
    else:
        content = [{"type": "text", "text": system}, *first]
    return [{**rest[0], "content": content}, *rest[1:]]


def call_seed(seed: int, call_number: int) -> int:
    """The seed of one call of a turn, from the turn's: 31 bits, as providers take them."""
    digest = blake2b(b"%d %d" % (seed, call_number), digest_size=4).digest()
    return int.from_bytes(digest, "big") >> 1

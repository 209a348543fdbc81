"""The kinds of failure of a call: what each asks for, and what a person can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from arena.core import ModelSpec


class Remedy(StrEnum):
    """What a failed attempt asks for.

    `retry`: the next attempt may do better. `wait`: it will, after a while; the wait uses up no
    attempt. `give_up`: this request will never pass, another may. `stop`: no request to this model
    will pass until a person mends something.
    """

    RETRY = "retry"
    WAIT = "wait"
    GIVE_UP = "give_up"
    STOP = "stop"


class FaultKind(StrEnum):
    """What went wrong, as far as the remedy and the advice to a person depend on it."""

    RATE_LIMIT = "rate_limit"
    QUOTA = "quota"
    OVERLOADED = "overloaded"
    LOADING = "loading"
    SERVER = "server"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    HOST = "host"
    CERTIFICATE = "certificate"
    PROXY = "proxy"
    LOST = "lost"
    MALFORMED = "malformed"
    CUT = "cut"
    OVERSIZED = "oversized"
    REDIRECT = "redirect"
    CONTENT_FILTER = "content_filter"
    CONTEXT = "context"
    ALLOWANCE = "allowance"
    ANSWER_LIMIT = "answer_limit"
    REQUEST = "request"
    KEY = "key"
    CREDIT = "credit"
    MODEL = "model"
    BUG = "bug"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a kind of failure asks for, and the sentence that tells a person what to do."""

    remedy: Remedy
    advice: str


_AGAIN = "run the command again: it resumes"

RULES: Mapping[FaultKind, Rule] = {
    FaultKind.RATE_LIMIT: Rule(
        Remedy.WAIT,
        "Lower the concurrency, or raise the account's limit, and run the command again.",
    ),
    FaultKind.QUOTA: Rule(
        Remedy.WAIT,
        "The account's quota is used up: run the command again when there is a new one (it "
        "resumes), raise it, or use another model.",
    ),
    FaultKind.OVERLOADED: Rule(
        Remedy.WAIT, f"The provider is overloaded: wait a while and {_AGAIN}; or use another model."
    ),
    FaultKind.LOADING: Rule(
        Remedy.WAIT,
        "The server is still loading the model: raise `patience` under `llm` if it takes longer, "
        f"or wait until it is up and {_AGAIN}.",
    ),
    FaultKind.SERVER: Rule(
        Remedy.RETRY, f"Check that the server is up (`api_base`), and {_AGAIN}."
    ),
    FaultKind.TIMEOUT: Rule(
        Remedy.RETRY,
        "Give it more time (`timeout` under `llm`), ask for shorter answers, or lower the "
        "concurrency.",
    ),
    FaultKind.UNREACHABLE: Rule(
        Remedy.WAIT,
        "Nothing listens at the model's address, or a firewall is between: check that the server "
        f"is up and its `api_base`, and {_AGAIN}.",
    ),
    FaultKind.HOST: Rule(
        Remedy.WAIT,
        "The name of the host is not known: check it in the model's `api_base`, in the variable "
        f"HTTPS_PROXY or HTTP_PROXY where one is set, and the network, and {_AGAIN}.",
    ),
    FaultKind.CERTIFICATE: Rule(
        Remedy.WAIT,
        "The server's certificate is not trusted, or `api_base` says https where the server speaks "
        "http: for a certificate of your own name its authority's file in the variable "
        f"SSL_CERT_FILE, and {_AGAIN}.",
    ),
    FaultKind.PROXY: Rule(
        Remedy.WAIT,
        "The proxy that the variable HTTPS_PROXY or HTTP_PROXY names does not let the request "
        "through: check it, or name hosts that need none in NO_PROXY, and "
        f"{_AGAIN}.",
    ),
    FaultKind.LOST: Rule(
        Remedy.RETRY, f"Check that the server is up and the network holds, and {_AGAIN}."
    ),
    FaultKind.MALFORMED: Rule(
        Remedy.RETRY,
        "Check that `api_base` is the address of a chat-completions server (it often ends in /v1) "
        f"and that no proxy answers in its place, and {_AGAIN}.",
    ),
    FaultKind.CUT: Rule(
        Remedy.RETRY,
        f"Check that no proxy cuts long answers, or set `stream: false`, and {_AGAIN}.",
    ),
    FaultKind.OVERSIZED: Rule(
        Remedy.RETRY, f"Set `max_tokens` in the model's `params`, and {_AGAIN}."
    ),
    FaultKind.REDIRECT: Rule(
        Remedy.RETRY,
        "Set `api_base` to the address that really answers: a redirect is not followed, because "
        "the key would go with it.",
    ),
    FaultKind.CONTENT_FILTER: Rule(
        Remedy.GIVE_UP,
        "The provider's content filter refused: soften the prompt, or use another model.",
    ),
    FaultKind.CONTEXT: Rule(
        Remedy.GIVE_UP,
        "The conversation is longer than the model's context: use a model with a longer one, or "
        "set `overflow` in the tournament's `environment`.",
    ),
    FaultKind.ALLOWANCE: Rule(
        Remedy.GIVE_UP,
        "One request takes more tokens than the account may use in a minute, and no wait helps: "
        "raise the account's limit, lower `max_tokens` (it often counts), or set `overflow` in "
        "the tournament's `environment`.",
    ),
    FaultKind.ANSWER_LIMIT: Rule(
        Remedy.STOP,
        "The model does not give answers of so many tokens: lower `max_tokens` in its `params`.",
    ),
    FaultKind.REQUEST: Rule(
        Remedy.GIVE_UP,
        "The provider refuses the request as it is: check the model's `params`.",
    ),
    FaultKind.KEY: Rule(
        Remedy.STOP,
        "Check the key in the variable that the model's `api_key_env` names, and what its account "
        "may use.",
    ),
    FaultKind.CREDIT: Rule(
        Remedy.STOP,
        "The account is out of credit, or at a limit of its spending: top it up, raise the limit, "
        f"or use another model, and {_AGAIN}.",
    ),
    FaultKind.MODEL: Rule(Remedy.STOP, "Check the model's name, and `api_base` if it has one."),
    FaultKind.BUG: Rule(
        Remedy.GIVE_UP, "This is a fault of the arena's or of LiteLLM's, not of the provider's."
    ),
}

# No connection was opened: the provider has seen nothing of the request.
NEVER_OPENED = frozenset(
    {FaultKind.UNREACHABLE, FaultKind.HOST, FaultKind.CERTIFICATE, FaultKind.PROXY}
)

# The request is too long: another of the same game will be too.
TOO_LONG = frozenset({FaultKind.CONTEXT, FaultKind.ALLOWANCE})

_OLLAMA = "Or give it a larger one: `num_ctx` in the model's `params`."
_LOCAL = (
    "Or start the server with a larger one: `-c` (`--ctx-size`) of llama.cpp, `--max-model-len` of "
    "vLLM, `--context-length` of SGLang, `OLLAMA_CONTEXT_LENGTH` of Ollama, the context length of "
    "the model in LM Studio."
)


def advice(kind: FaultKind, model: ModelSpec) -> str:
    """What a person can do about a failure of this model."""
    said = RULES[kind].advice
    if kind is not FaultKind.CONTEXT:
        return said
    if model.litellm_model.startswith(("ollama/", "ollama_chat/")):
        return f"{said} {_OLLAMA}"
    return said if model.api_base is None else f"{said} {_LOCAL}"


# Failures after which a provider may have answered, and charged, although no answer came in.
BILLED = frozenset(
    {
        FaultKind.TIMEOUT,
        FaultKind.LOST,
        FaultKind.MALFORMED,
        FaultKind.CUT,
        FaultKind.OVERSIZED,
        FaultKind.BUG,
    }
)

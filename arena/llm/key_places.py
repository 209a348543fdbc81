"""Which key may go where: a variable's value is sent to the provider that it belongs to, and to
another host only after the user has allowed that pair once.

A tournament file may be a stranger's: it names variables of this machine and hosts of anybody's.
What is allowed is in a file of the user's (`keys.json` in the folder `arena` of
XDG_CONFIG_HOME, else of ~/.config), never in a database, which may be a stranger's too.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from arena.core import ModelSpec, UsageError
from arena.core.secret_names import referred
from arena.llm.private_files import write_private

# Words of a variable that belong to a provider whose own name they do not hold.
_ALSO = {
    "azure_ai": ("AZURE",),
    "azure_text": ("AZURE",),
    "bedrock": ("AWS",),
    "codestral": ("MISTRAL",),
    "dashscope": ("ALIBABA", "QWEN"),
    "gemini": ("GOOGLE",),
    "huggingface": ("HF",),
    "moonshot": ("KIMI",),
    "nvidia_nim": ("NVIDIA",),
    "perplexity": ("PPLX",),
    "sagemaker": ("AWS",),
    "vertex_ai": ("GOOGLE",),
    "watsonx": ("IBM",),
    "zai": ("ZHIPU", "GLM"),
}
_FILLERS = frozenset({"AI", "BETA", "CHAT", "COMPLETION", "COMPLETIONS", "CONVERSE", "TEXT"})

# Hosts of providers, for models that name them as their api_base.
_HOSTS = {
    "anthropic": r"api\.anthropic\.com",
    "azure": r".+\.(openai|cognitiveservices|services\.ai)\.azure\.com",
    "bedrock": r"bedrock-runtime(-fips)?\.[a-z0-9-]+\.amazonaws\.com",
    "cerebras": r"api\.cerebras\.ai",
    "cohere": r"api\.cohere\.(com|ai)",
    "dashscope": r"dashscope(-intl|-us)?\.aliyuncs\.com",
    "databricks": r".+\.cloud\.databricks\.com|.+\.azuredatabricks\.net",
    "deepinfra": r"api\.deepinfra\.com",
    "deepseek": r"api\.deepseek\.com",
    "fireworks": r"api\.fireworks\.ai",
    "gemini": r"(generativelanguage|(.+-)?aiplatform)\.googleapis\.com",
    "groq": r"api\.groq\.com",
    "huggingface": r"(router|api-inference)\.huggingface\.co",
    "mistral": r"(api|codestral)\.mistral\.ai",
    "moonshot": r"api\.moonshot\.(ai|cn)",
    "nvidia_nim": r"integrate\.api\.nvidia\.com",
    "openai": r"([a-z]{2}\.)?api\.openai\.com",
    "openrouter": r"openrouter\.ai",
    "perplexity": r"api\.perplexity\.ai",
    "together": r"api\.together\.(xyz|ai)",
    "vertex_ai": r"(.+-)?aiplatform\.googleapis\.com",
    "watsonx": r".+\.ml\.cloud\.ibm\.com",
    "xai": r"([a-z0-9-]+\.)?api\.x\.ai|api\.x\.ai",
    "zai": r"api\.z\.ai|open\.bigmodel\.cn",
}

# Providers that find credentials on this machine by themselves, and a variable that holds them.
_BY_THEMSELVES = {
    "azure": "AZURE_AD_TOKEN",
    "azure_ai": "AZURE_AD_TOKEN",
    "azure_text": "AZURE_AD_TOKEN",
    "bedrock": "AWS_SECRET_ACCESS_KEY",
    "bedrock_converse": "AWS_SECRET_ACCESS_KEY",
    "databricks": "DATABRICKS_API_KEY",
    "gigachat": "GIGACHAT_ACCESS_TOKEN",
    "github_copilot": "GITHUB_COPILOT_TOKEN_DIR",
    "oci": "OCI_KEY",
    "sagemaker": "AWS_SECRET_ACCESS_KEY",
    "sagemaker_chat": "AWS_SECRET_ACCESS_KEY",
    "sap": "AICORE_SERVICE_KEY",
    "snowflake": "SNOWFLAKE_JWT",
    "vertex_ai": "GOOGLE_APPLICATION_CREDENTIALS",
    "vertex_ai_beta": "GOOGLE_APPLICATION_CREDENTIALS",
    "watsonx": "WATSONX_API_KEY",
    "watsonx_text": "WATSONX_API_KEY",
}

_BARE = (
    (re.compile(r"(ft:)?(gpt|chatgpt|o[0-9]|davinci|babbage)"), "openai"),
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"gemini"), "gemini"),
    (re.compile(r"command"), "cohere"),
)


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """A variable, or the whole path of a file, and the host or the provider that its value may go
    to: `host`, `host:port`, or the first word of LiteLLM's names for the provider's models."""

    variable: str
    place: str


def check_places(model: ModelSpec) -> None:
    """Raises UsageError, with the command that allows it, for a model that would send the value of
    a variable to whom it does not belong; nothing is read from the variable."""
    provider = _provider_of(model)
    place, host, sealed = provider, None, True
    if model.api_base is not None:
        place, host, sealed = _place(model)
    variables = [*variables_of(model)]
    if host is not None and not variables and provider in _BY_THEMSELVES:
        variables = [_BY_THEMSELVES[provider]]
    for variable in dict.fromkeys(variables):
        if host is None:
            fits = _belongs(variable, provider)
        else:
            fits = sealed and any(
                re.fullmatch(pattern, host) and _belongs(variable, owner)
                for owner, pattern in _HOSTS.items()
            )
        if not fits and not _allowed(variable, place):
            what = "the provider" if host is None else "the host"
            raise UsageError(
                f"model {model.name!r} would send the value of {variable} to {what} {place}, and "
                "nothing says that it belongs there: if it does, type: "
                f"arena keys add {variable} {place}"
            )
    file = model.api_key_file
    # No name says to whom what is in a file belongs: the user does.
    if file is not None and not _allowed(file, place):
        raise UsageError(
            f"model {model.name!r} would read {file} and send what is in it to {place}: if that is "
            f"a key for there, type: arena keys add {shlex.quote(file)} {place}"
        )


def allow(pair: Pair) -> None:
    """Allow a pair from now on. Raises UsageError where the file cannot be written."""
    _write({*allowed(), pair})


def forget(pair: Pair) -> bool:
    """Take a pair back; whether it was allowed."""
    known = {*allowed()}
    if pair in known:
        _write(known - {pair})
    return pair in known


def allowed() -> list[Pair]:
    """What is allowed, sorted. Raises UsageError for a file that cannot be read."""
    file = allowed_file()
    try:
        found = json.loads(file.read_text("utf-8"))
        return sorted(Pair(str(variable), str(place)) for variable, place in found)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError) as error:
        raise UsageError(
            f"{file} cannot be read ({error}): it lists the keys that may go elsewhere; mend it or "
            "remove it"
        ) from error


def allowed_file() -> Path:
    """Where it is written."""
    home = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(home) if home and Path(home).is_absolute() else Path.home() / ".config"
    return folder / "arena" / "keys.json"


def place_of(text: str) -> str:
    """A host as it was typed, or within a URL, as pairs have it. Raises UsageError."""
    parts = urlsplit(text if "://" in text else f"//{text}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or "@" in parts.netloc or re.search(r"[\s*]", host):
        raise UsageError(f"{text!r} is no host: expected one such as gateway.example:8443")
    if port is None:
        return host
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _write(pairs: set[Pair]) -> None:
    write_private(allowed_file(), ((pair.variable, pair.place) for pair in sorted(pairs)))


def known_variables() -> list[str]:
    """The variables of this environment that hold keys of providers, by their names, sorted."""
    return sorted(
        name
        for name, value in os.environ.items()
        if value
        and re.search("KEY|TOKEN", name)
        and any(_belongs(name, provider) for provider in _HOSTS)
    )


def variables_of(model: ModelSpec) -> Iterator[str]:
    """The variables that a model names, whose values are sent to whom it asks."""
    if model.api_key_env is not None:
        yield model.api_key_env
    headers = model.params.get("extra_headers")
    for value in headers.values() if isinstance(headers, dict) else ():
        if (name := referred(value)) is not None:
            yield name


def _place(model: ModelSpec) -> tuple[str, str, bool]:
    """The host and port of a model's api_base, the host alone, and whether the way is encrypted and
    to the usual port. A URL that two readers could read in two ways is nobody's."""
    address = model.api_base or ""
    if re.search(r"[\s\\\x00-\x1f]", address) or "@" in address:
        raise UsageError(f"model {model.name!r} has an api_base that is no plain URL")
    place = place_of(address)
    parts = urlsplit(address if "://" in address else f"//{address}")
    usual = parts.port in (None, 443)
    return place, parts.hostname or "", parts.scheme == "https" and usual


def _allowed(variable: str, place: str) -> bool:
    host = place.rpartition(":")[0].strip("[]") if re.search(r":\d+$", place) else place
    return any(pair.variable == variable and pair.place in (place, host) for pair in allowed())


def _provider_of(model: ModelSpec) -> str:
    if model.provider is not None and model.provider != "litellm":
        return model.provider
    prefix, slash, _ = model.litellm_model.partition("/")
    if slash:
        return prefix.lower()
    return next((name for start, name in _BARE if start.match(prefix.lower())), prefix.lower())


def _belongs(variable: str, provider: str) -> bool:
    """Whether the variable's name says that it is the provider's: OPENAI_API_KEY, MY_OPENAI_KEY."""
    words = variable.upper().split("_")
    named = re.split(r"[^A-Z0-9]+", provider.upper())
    short = [word for word in named if word not in _FILLERS] or named
    forms = {"".join(named), "".join(short), *_ALSO.get(provider, ())}
    return any(
        "".join(words[first:last]) in forms
        for first in range(len(words))
        for last in range(first + 1, len(words) + 1)
    )

"""Finds what must not stand in a tournament file, which is stored and shown: secrets, and words
that would make a provider's library fetch one from this machine."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from arena.config.errors import KeyPath, Problem, dotted, looks_secret
from arena.core.secret_names import is_secret_name, referred

# What a query of an address may say: the others are taken for keys and signatures.
_OPEN = frozenset({"api-version", "api_version", "version", "region", "location", "alt"})

# What they hold is named by others.
_SCHEMAS = frozenset({"logit_bias", "response_format", "tools"})

# LiteLLM takes these for a place to read a secret from.
_FETCHED = re.compile(r"(?i)^\s*(os\.environ/|oidc/)")

# Variables that LiteLLM reads by itself, for params whose values are secrets.
_VARIABLES = {
    "aws_access_key_id": "AWS_ACCESS_KEY_ID",
    "aws_secret_access_key": "AWS_SECRET_ACCESS_KEY",
    "aws_session_token": "AWS_SESSION_TOKEN",
    "azure_ad_token": "AZURE_AD_TOKEN",
    "azure_password": "AZURE_PASSWORD",
    "client_secret": "AZURE_CLIENT_SECRET",
    "vertex_credentials": "GOOGLE_APPLICATION_CREDENTIALS",
    "watsonx_token": "WATSONX_TOKEN",
}
_ELSEWHERE = "put it in an environment variable and name the variable with api_key_env"
_HEADERS = "write `extra_headers: {NAME: $VARIABLE}` in params, and put the value in the variable"


def secrets(data: Any, path: KeyPath = ()) -> Iterator[Problem]:
    """A problem for every value that is a secret by its name or its looks, without showing it."""
    if path and path[-1] == "extra_headers" and isinstance(data, Mapping):
        yield from _headers(data, path)
    elif path and _is_secret(path, data):
        yield Problem(
            path,
            f"{dotted(path)} looks like a secret, and would be stored in the database; "
            f"{_right_way(path)}",
        )
    elif isinstance(data, Mapping):
        for key, value in data.items():
            yield from secrets(value, (*path, key))
    elif isinstance(data, list | tuple):
        for index, value in enumerate(data):
            yield from secrets(value, (*path, index))
    elif isinstance(data, str):
        yield from _in_text(data, path)


def _is_secret(path: KeyPath, value: Any) -> bool:
    if looks_secret(value, path[-1]):
        return True
    # Elsewhere a `secret_number` may be a number of some rules.
    name = path[-1]
    if _SCHEMAS & {*path[:-1]}:
        return False
    return "params" in path and isinstance(name, str) and is_secret_name(name, value)


def _right_way(path: KeyPath) -> str:
    name = str(path[-1])
    variable = _VARIABLES.get(name.lower())
    if variable is not None:
        return (
            f"put it in the environment variable {variable}, which is read by itself, and remove "
            "it here (the key of a provider that has one is named with api_key_env)"
        )
    return f"{_ELSEWHERE}; for a header, {_HEADERS}"


def _headers(headers: Mapping[Any, Any], path: KeyPath) -> Iterator[Problem]:
    for name, value in headers.items():
        if referred(value) is None:
            here = (*path, name)
            secret = is_secret_name(str(name), value) or looks_secret(value)
            yield Problem(
                here,
                f"{dotted(here)} {'looks like a secret' if secret else 'is written out'}, and what "
                "is written here is stored in the database: expected $VARIABLE, or Bearer "
                "$VARIABLE, with the value in that environment variable (a key goes by "
                "api_key_env)",
            )


def _in_text(value: str, path: KeyPath) -> Iterator[Problem]:
    if path and path[-1] == "api_base" and (found := _in_address(value)):
        yield Problem(
            path,
            f"{dotted(path)} holds {found}, which looks like a secret and would be stored in the "
            f"database: remove it; {_ELSEWHERE}; where the server wants a header, {_HEADERS}",
        )
    elif "params" in path and _FETCHED.search(value):
        yield Problem(
            path,
            f"{dotted(path)} would have a secret read from this machine, and a tournament file may "
            f"be a stranger's: remove it; {_ELSEWHERE}",
        )


def _in_address(address: str) -> str | None:
    """What in an address only its server may see."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    if "@" in parts.netloc:
        return "a name or a password before the @"
    hidden = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    hidden = [name for name in hidden if name.lower() not in _OPEN]
    if hidden:
        return "what follows its '?'"
    if parts.fragment:
        return "what follows its '#'"
    if any(looks_secret(piece) for piece in parts.path.split("/")):
        return "a key in its path"
    return None


def all_secrets(data: Any) -> Iterable[Problem]:
    """Those of a whole tournament file; prompts are the words that models are told."""
    if not isinstance(data, Mapping):
        return ()
    return secrets({key: value for key, value in data.items() if key != "prompts"})

"""The keys and hosts of models: whether a key is there and from where, never what it is."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

from arena.config import TournamentConfig
from arena.core import ArenaError, ModelSpec
from arena.doctor.diagnosis import Diagnosis
from arena.llm.client import Client
from arena.llm.key_places import known_variables
from arena.llm.scripted.policies import is_scripted
from arena.orchestrator.clients import client_for

_CONNECT_S = 5.0


def of_models(config: TournamentConfig | None, *, online: bool) -> Iterator[Diagnosis]:
    """Each model of a configuration; without one the variables with the keys of providers."""
    if config is None:
        there = known_variables()
        said = f"in {', '.join(there)}" if there else "no provider's key is in a variable"
        yield Diagnosis("keys", "ok", said, "" if there else "export OPENAI_API_KEY=..., say")
        return
    client = client_for(config)
    for model in config.models:
        yield _model(client, model.spec(), online=online)


def _model(client: Client, model: ModelSpec, *, online: bool) -> Diagnosis:
    subject = f"model {model.name}"
    try:
        client.check(model)
        client.check_keys(model)
    except ArenaError as error:
        said, _, advice = str(error).partition(" type: ")
        return Diagnosis(subject, "wrong", said.rstrip(" ;,"), advice)
    if is_scripted(model):
        return Diagnosis(subject, "ok", "answers within this process, without a key")
    where = model.api_key_env or model.api_key_file
    key = f"key in {where}" if where else "its provider finds the key"
    address = asyncio.run(_address(client, model))
    if address is None:
        return Diagnosis(subject, "ok", f"{key}; its library says where calls go")
    parts = urlsplit(address if "://" in address else f"//{address}")
    host, port = parts.hostname or "", parts.port or (80 if parts.scheme == "http" else 443)
    if not online:
        return Diagnosis(subject, "ok", f"{key}; calls go to {host}:{port} (--online tries it)")
    try:
        with socket.create_connection((host, port), _CONNECT_S):
            return Diagnosis(subject, "ok", f"{key}; {host}:{port} takes connections")
    except OSError as error:
        return Diagnosis(
            subject,
            "wrong",
            f"{key}; {host}:{port} cannot be reached ({error})",
            "see the address in the file, the network, and whether its server runs",
        )


async def _address(client: Client, model: ModelSpec) -> str | None:
    if model.api_base is not None:
        return model.api_base
    try:
        path = await client.path(model)
    finally:
        await client.aclose()
    return None if path is None else path.address

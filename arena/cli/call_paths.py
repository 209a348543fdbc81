"""Which way the calls to models take, as commands say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from arena.cli.output import advise, print_line, safe

if TYPE_CHECKING:
    from arena.config import TournamentConfig
    from arena.core import ModelSpec
    from arena.llm.providers.protocol import CallPath


def paths_of(
    models: Iterable[ModelSpec], config: TournamentConfig | None = None
) -> Mapping[str, CallPath]:
    """The ways of the models of a tournament, or of none, by their names; without those whose
    provider has one way. Nothing is sent, and no key is needed. Raises UsageError for a model that
    cannot be asked."""
    import asyncio

    from arena.orchestrator.clients import client_for

    async def learned() -> Mapping[str, CallPath]:
        client = client_for(config)
        try:
            found = {model.name: await client.path(model) for model in models}
        finally:
            await client.aclose()
        return {name: path for name, path in found.items() if path is not None}

    return asyncio.run(learned())


def path_of(model: ModelSpec) -> CallPath | None:
    """The way of a model of the catalogue, None where there is one; where it cannot be asked here,
    that is said."""
    from arena.core import UsageError

    try:
        return paths_of([model]).get(model.name)
    except UsageError as error:
        advise(str(error))
        return None


def print_path(path: CallPath) -> None:
    """The way of one model on stdout."""
    if path.lean:
        print_line(safe(f"calls take the lean path to {path.address}: {path.why}"))
    else:
        print_line(safe(f"calls go through LiteLLM: {path.why}"))

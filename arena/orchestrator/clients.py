"""Makes the client that asks a tournament's models, as patiently and within the limits it says."""

from __future__ import annotations

from arena import registry
from arena.config import TournamentConfig
from arena.llm.cache import Cache
from arena.llm.client import LiteLLMClient
from arena.llm.pacing.limits import ModelLimits


def client_for(
    config: TournamentConfig | None, *, cache: Cache | None = None, keep_answers: bool = False
) -> LiteLLMClient:
    """The client of a tournament, or of games that belong to none."""
    if config is None:
        return LiteLLMClient(scripted=registry.policy, cache=cache, keep_answers=keep_answers)
    return LiteLLMClient(
        scripted=registry.policy,
        timeout=config.llm.timeout,
        retries=config.llm.retries,
        patience=config.llm.patience,
        limits={model.name: ModelLimits(**model.limits.model_dump()) for model in config.models},
        cache=cache,
        keep_answers=keep_answers,
    )

"""The tournaments that are tortured: Secret Mafia with six agents, two of which remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from torture.service import PRICES

KEY_VARIABLE = "ARENA_TORTURE_KEY"

_PROMPTS = {
    "plain": "You are player {{player_index}} of {{num_players}} in {{environment}}.",
    "calm": "You are player {{player_index}}, {{agent}}. Stay calm and listen.",
}
_AGENTS = (
    ("Ann", "thinking", "one", "plain"),
    ("Bob", "thinking", "two", "plain"),
    ("Cid", "thinking", "one", "calm"),
    ("Dot", "thinking", "two", "calm"),
    ("Eve", "remembering", "one", "plain"),
    ("Fay", "remembering", "two", "plain"),
)


def write(
    folder: Path,
    name: str,
    api_base: str,
    *,
    games: int = 6,
    concurrency: int = 4,
    seed: int = 11,
    params: Mapping[str, Any] | None = None,
    llm: Mapping[str, Any] | None = None,
    streamed: Sequence[str] = (),
    **settings: Any,
) -> Path:
    """The file of a tournament against a server. The key is in an environment variable, as it
    should be. `streamed` names models, `one` or `two`. `settings` are further entries of the
    file (budget, attempts, ...)."""
    model: dict[str, Any] = {
        "api_base": api_base,
        "api_key_env": KEY_VARIABLE,
        "input_price": PRICES[0],
        "output_price": PRICES[1],
        "params": {"max_tokens": 400, **(params or {})},
    }
    data = {
        "name": name,
        "seed": seed,
        "environment": {
            "name": "SecretMafia-v0",
            "players": 6,
            "options": {"discussion_rounds": 1},
        },
        "games": games,
        "concurrency": concurrency,
        "matchmaker": {"name": "random"},
        "models": [
            {
                "name": name,
                "litellm_model": f"openai/{name}",
                "stream": name in streamed,
                **model,
            }
            for name in ("one", "two")
        ],
        "prompts": [{"name": name, "text": text} for name, text in _PROMPTS.items()],
        "agents": [
            {"name": agent, "kind": kind, "model": model_name, "prompt": prompt}
            for agent, kind, model_name, prompt in _AGENTS
        ],
        "llm": {"timeout": 30, "retries": 4, **(llm or {})},
        **settings,
    }
    path = folder / f"{name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(data, sort_keys=False))
    return path

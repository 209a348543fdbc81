"""The tournaments of generated databases: the agents of `configs/quickstart.yaml`, many times."""

from __future__ import annotations

import json
from typing import Any

from arena.config import TournamentConfig, loads
from bench.tournaments import PROMPTS

PLAYERS = 6
_MODELS = ("random", "mafia-naive", "mafia-follower", "mafia-sharp")
# Kind and model: the agents are of these in turn.
LINEUP = (
    ("thinking", 0),
    ("thinking", 1),
    ("thinking", 2),
    ("thinking", 3),
    ("remembering", 2),
    ("remembering", 3),
)


def tournament(name: str, *, games: int, agents: int, seed: int) -> TournamentConfig:
    """Six-player Secret Mafia with one round of talk, as short as its games can be."""
    prompt = (PROMPTS / "mafia-plain.md").read_text()
    whole: dict[str, Any] = {
        "name": name,
        "seed": seed,
        "environment": {
            "name": "SecretMafia-v0-mended",
            "players": PLAYERS,
            "turn_limit": 200,
            "options": {"discussion_rounds": 1},
        },
        "games": games,
        "concurrency": 50,
        "matchmaker": {"name": "random"},
        "models": [
            {"name": f"model-{index}", "litellm_model": f"scripted/{model}"}
            for index, model in enumerate(_MODELS)
        ],
        "prompts": [
            {"name": f"p{index}", "text": f"{prompt}\nSign as number {index}."}
            for index in range(agents)
        ],
        "agents": [
            {
                "name": f"agent {index:03}",
                "kind": kind,
                "model": f"model-{model}",
                "prompt": f"p{index}",
            }
            for index in range(agents)
            for kind, model in (LINEUP[index % len(LINEUP)],)
        ],
    }
    return loads(json.dumps(whole), source=name)

"""Tournaments in which some agents' answers are long and come all at once, and others' do not."""

from __future__ import annotations

from typing import Any

# What asks for each protocol, and what its `api_base` has behind the server's address.
PROTOCOLS = {
    "OpenAI": ("openai/burst", "/v1"),
    "Anthropic": ("anthropic/claude-sonnet-4-20250514", ""),
    "Gemini": ("gemini/gemini-2.5-flash", ""),
}
BURSTING = ("Ann", "Bob", "Cid")
OTHERS = ("Dot", "Eve", "Fay")


def tournament(
    name: str,
    protocol: str,
    bursts: str,
    others: str,
    *,
    stream: bool,
    games: int,
    turns: int,
    time_limit: float,
) -> dict[str, Any]:
    """The file of a tournament of Secret Mafia, all games at once: three agents at the server
    `bursts` in this protocol, the others at the server `others`; `time_limit` is the seconds of a
    turn."""
    litellm_model, behind = PROTOCOLS[protocol]
    models = [
        {"name": "bursting", "litellm_model": litellm_model, "api_base": f"{bursts}{behind}",
         "stream": stream},
        {"name": "other", "litellm_model": "openai/other", "api_base": f"{others}/v1"},
    ]  # fmt: skip
    agents = [
        {"name": agent, "kind": kind, "model": model, "prompt": agent}
        for model, names in (("bursting", BURSTING), ("other", OTHERS))
        for agent, kind in zip(names, ("thinking", "remembering", "thinking"), strict=True)
    ]
    return {
        "name": name,
        "seed": 5,
        "environment": {
            "name": "SecretMafia-v0",
            "players": 6,
            "options": {"discussion_rounds": 1},
            "turn_limit": turns,
            "time_limit": time_limit,
        },
        "games": games,
        "concurrency": games,
        "matchmaker": {"name": "random"},
        "models": models,
        "prompts": [{"name": name, "text": f"You are {name}."} for name in (*BURSTING, *OTHERS)],
        "agents": agents,
        "llm": {"timeout": 60},
    }

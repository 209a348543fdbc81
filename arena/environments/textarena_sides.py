"""Who plays which role on which team: read from the state of TextArena's rules, not from words."""

from __future__ import annotations

import re
from typing import Any

# TextArena's name for a player that has none: no role.
_UNNAMED = re.compile(r"Player \d+")


def roles_of(family: str, rules: Any) -> list[str | None]:
    """The role of each player, in order of player_index; None where the game names none."""
    state = rules.state
    players = range(state.num_players)
    match family:
        case "SecretMafia":
            return [rules.player_roles[p] for p in players]
        case "NewRecruit":
            return [state.game_state["roles"][p] for p in players]
        case "TwoDollar":
            return [rules.player_roles[p]["name"] for p in players]
        case _:
            names = (state.role_mapping.get(p, f"Player {p}") for p in players)
            return [None if _UNNAMED.fullmatch(name) else name for name in names]


def teams_of(family: str, rules: Any) -> list[str | None]:
    """The team of each player, in order of player_index; None where everybody plays alone."""
    players = range(rules.state.num_players)
    match family:
        case "SecretMafia":
            return [rules.roles[p].team for p in players]
        case "Taboo":
            return [f"Team {p // rules.team_size}" for p in players]
        case _:
            return [None for _ in players]

"""Who plays which role on which team, and who is out: read from the state of TextArena's rules,
not from words."""

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


def out_of(family: str, rules: Any) -> frozenset[int]:
    """The players that the rules have thrown out of the game, or let die; it may go on."""
    state = rules.state
    players = frozenset(range(state.num_players))
    match family:
        case "SecretMafia":
            return players.difference(state.game_state["alive_players"])
        case "SettlersOfCatan":
            return frozenset(state.game_state["eliminated_players"])
        case "Snake" | "Surround":
            return frozenset(p for p, body in _bodies(rules).items() if not body.alive)
        case _:
            return frozenset(getattr(state, "elimination_order", ()))


def died_of_an_invalid_move(family: str, rules: Any, player: int) -> bool:
    """Whether the rules let this player die for an action that they do not call invalid."""
    if family not in ("Snake", "Surround"):
        return False
    return bool(_bodies(rules)[player].death_reason == "invalid move")


def _bodies(rules: Any) -> Any:
    game = rules.state.game_state
    return game["snakes"] if "snakes" in game else game["players"]

"""The books of TextArena's rules, read from their state: what must stay as it is, and what must not
be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any


def conserved_in(family: str, rules: Any) -> dict[str, float]:
    """What the rules neither make nor lose, by name; nothing where they keep no such thing."""
    state = rules.state
    game = state.game_state
    match family:
        case "KuhnPoker" | "IndianPoker" | "Poker":
            # What is in the pot of a round has been paid out when the game is over.
            pot = 0 if state.done else game["pot"]
            return {"chips": sum(game["player_chips"].values()) + pot}
        case "SimpleNegotiation":
            held = Counter[str]()
            for resources in game["player_resources"].values():
                held.update(resources)
            return {resource.lower(): number for resource, number in held.items()}
        case _:
            return {}


def amiss_in(family: str, rules: Any) -> tuple[str, ...]:
    """What is wrong with the state of the rules, a sentence each."""
    return tuple(_amiss(family, rules))


def _amiss(family: str, rules: Any) -> Iterator[str]:
    game = rules.state.game_state
    match family:
        case "KuhnPoker":
            if "call" in game["current_legal_action_tree"] and game["pot"] == 2 * rules.ante:
                yield "a bet that is to be called is not in the pot"
        case "SecretMafia":
            yield from _amiss_in_the_village(rules)
        case "SettlersOfCatan":
            hands = [player.hand for player in rules.board.players.values()]
            if any(number < 0 for hand in hands for number in hand.values()):
                yield "a player holds less than nothing"
    if any(chips < 0 for chips in game.get("player_chips", {}).values() if family != "KuhnPoker"):
        yield "a player holds less than no chips"


def _amiss_in_the_village(rules: Any) -> Iterator[str]:
    game = rules.state.game_state
    alive, victim = game["alive_players"], game["pending_elimination"]
    if any(target not in alive for target in game["votes"].values()):
        yield "a vote for a player who is dead counts"
    if victim is not None and victim not in alive:
        yield "a player who is dead is to be killed"
    if victim is not None and rules.phase.name.startswith("DAY") and not rules.state.done:
        yield "the victim of the night lives on by day"

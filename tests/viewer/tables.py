"""Games of boards, cards, rounds and offers that were really played, one of each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.cli.commands import run_arena

PLAYED: Mapping[str, int] = {
    "ConnectFour-v0": 2,
    "Battleship-v0": 2,
    "IteratedPrisonersDilemma-v0": 2,
    "KuhnPoker-v0": 2,
    "LiarsDice-v0": 3,
    "SimpleNegotiation-v0": 2,
    "Taboo-v0": 4,
}
"""How many play each; the number of a game is its place, from 1."""


def config(environment: str, players: int) -> str:
    """One game of an environment, played by models that move at random."""
    prompts = [f"  - {{name: p{place}, text: 'Place {place}.'}}" for place in range(players)]
    agents = [f"  - {{name: A{place}, model: any, prompt: p{place}}}" for place in range(players)]
    lines = [
        f"name: {environment.lower()}",
        "seed: 5",
        f"environment: {{name: {environment}, players: {players}}}",
        "games: 1",
        "matchmaker: {name: random}",
        "models: [{name: any, litellm_model: scripted/random}]",
        "prompts:",
        *prompts,
        "agents:",
        *agents,
    ]
    return "\n".join(lines)


def play_tables(folder: Path) -> str:
    """The database with one game of each."""
    for environment, players in PLAYED.items():
        (folder / "table.yaml").write_text(config(environment, players))
        result = run_arena("run", folder / "table.yaml", "--db", folder / "tables.db")
        assert result.exit_code == 0, result.stderr
    return f"sqlite:///{folder / 'tables.db'}"


def number(environment: str) -> int:
    """The game of an environment."""
    return [*PLAYED].index(environment) + 1

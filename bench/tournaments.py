"""The tournaments that are measured, and the conversations of those that were played."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import col, select

from arena.config import TournamentConfig, loads
from arena.core import Message
from db import Game, get_session
from db.queries.transcript import TurnRow, transcript

PROMPTS = Path(__file__).resolve().parent.parent / "configs" / "prompts"

_CONFIG = """
name: bench
seed: {seed}
environment:
  name: SecretMafia-v0
  players: 6
  options: {{discussion_rounds: {rounds}}}
  turn_limit: {turn_limit}
games: {games}
concurrency: {concurrency}
executor: {executor}
matchmaker: {{name: random}}
models:
  - {{name: one, litellm_model: {model}{server}}}
prompts:
  - {{name: plain, file: mafia-plain.md}}
  - {{name: analyst, file: mafia-analyst.md}}
  - {{name: diplomat, file: mafia-diplomat.md}}
  - {{name: any, file: any-game.md}}
  - {{name: plain again, text: {plain}}}
  - {{name: any again, text: {any}}}
agents:
  - {{name: A, model: one, prompt: plain}}
  - {{name: B, model: one, prompt: analyst}}
  - {{name: C, model: one, prompt: diplomat}}
  - {{name: D, model: one, prompt: any}}
  - {{name: E, model: one, prompt: plain again}}
  - {{name: F, model: one, prompt: any again}}
"""


@dataclass(frozen=True, slots=True)
class Call:
    """A request of a recorded game, as it was sent, and what came back."""

    messages: list[Message]
    seed: int | None
    text: str


def config(
    model: str,
    *,
    games: int,
    concurrency: int,
    seed: int = 7,
    rounds: int = 3,
    turn_limit: int = 500,
    api_base: str | None = None,
    executor: str = "local",
) -> TournamentConfig:
    """Six agents at six-player Secret Mafia, one call a turn, with the prompts of `configs/`."""
    text = _CONFIG.format(
        seed=seed,
        rounds=rounds,
        turn_limit=turn_limit,
        games=games,
        concurrency=concurrency,
        executor=executor,
        model=model,
        server="" if api_base is None else f", api_base: '{api_base}', input_price: 0",
        plain=json.dumps("Be brief.\n\n" + (PROMPTS / "mafia-plain.md").read_text()),
        any=json.dumps("Be brief.\n\n" + (PROMPTS / "any-game.md").read_text()),
    )
    return loads(text, source="bench", folder=PROMPTS)


def transcripts(database: Path) -> list[list[TurnRow]]:
    """Every finished game of a database, turn by turn."""
    with get_session(database, create=False) as session:
        games = session.exec(
            select(Game.id).where(Game.status == "completed").order_by(col(Game.id))
        ).all()
        return [transcript(session, game_id) for game_id in games if game_id is not None]


def conversations(database: Path) -> list[list[Call]]:
    """The calls of every finished game, in order."""
    return [
        [
            Call(call.messages, (call.request or {}).get("seed"), call.text or "")
            for turn in game
            for call in turn.calls
        ]
        for game in transcripts(database)
    ]

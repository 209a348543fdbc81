"""A small tournament in one text, to be changed in one place by each test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from arena.config import TournamentConfig, loads

SMALL = """
name: small
seed: 7
environment: {name: SecretMafia-v0, players: 6, options: {discussion_rounds: 1}}
games: 12
concurrency: 4
matchmaker: {name: random}
models:
  - {name: random, litellm_model: scripted/random}
  - {name: naive, litellm_model: scripted/mafia-naive}
prompts:
  - {name: plain, text: "You are player {{player_index}} of {{num_players}}."}
  - {name: calm, text: "You are player {{player_index}}. Stay calm."}
agents:
  - {name: Ann, model: random, prompt: plain}
  - {name: Bob, model: naive, prompt: plain}
  - {name: Cid, model: random, prompt: calm}
  - {name: Dot, model: naive, prompt: calm}
  - {name: Eve, kind: remembering, model: random, prompt: plain}
  - {name: Fay, kind: remembering, model: naive, prompt: plain}
"""


@pytest.fixture(scope="session")
def small() -> Callable[..., TournamentConfig]:
    """Makes the small tournament, with some of its text replaced."""

    def make(*changes: tuple[str, str]) -> TournamentConfig:
        text = SMALL
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        return loads(text, source="small.yaml")

    return make

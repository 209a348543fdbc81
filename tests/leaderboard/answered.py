"""Finished games with their turns and calls, and how each call was answered."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, func, select

from db import Game, GameTurn, LLMCall, Repository
from db.keys import call_key, turn_key
from tests.leaderboard.table import NOON, Sat, Table

SCRIPTED, CACHED, DRAWN, FAILED = "scripted", "cached", "drawn", "failed"
HOW = (SCRIPTED, CACHED, DRAWN, FAILED)
"""How a call was answered; any other word is the name under which the model did."""


class Answered:
    """Games between a scripted agent and one of a model, with how their calls were answered."""

    def __init__(self, session: Session) -> None:
        self.table = Table(session)
        self.table.games = session.exec(select(func.count()).select_from(Game)).one()
        self.session = session
        self.rules = self.table.environment("TicTacToe-v0")
        self.bot = self.table.agent("Bot", model="bot")
        self.rival = self.table.agent("Rival", model="rival")
        self.other = self.model("Gpt")

    def model(self, name: str) -> int:
        repo = Repository(self.session)
        kind, prompt = repo.get_or_create_kind("thinking"), self.table.prompt("plain")
        model = repo.get_or_create_model(name, f"openai/{name}", params={"temperature": 0})
        return repo.get_or_create_agent(kind.id or 0, model.id or 0, prompt, alias=name).id or 0

    def play(
        self,
        seats: Sequence[int],
        calls: Sequence[Sequence[str]],
        *,
        seed: int = 5,
        won: int = 0,
        **facts: object,
    ) -> int:
        """A game of a turn for each entry of `calls`, its first seat moving first."""
        game_id = self.table.play(
            self.rules, *(Sat(agent, int(at != won)) for at, agent in enumerate(seats)), block=seed
        )
        game = self.session.get(Game, game_id)
        assert game is not None
        for name, value in facts.items():
            setattr(game, name, value)
        for turn, answered in enumerate(calls):
            key = turn_key(game_id, turn, turn % 2)
            self.session.add(
                GameTurn(
                    id=key, game_id=game_id, turn_number=turn, player_index=turn % 2,
                    action_text="go", observed_at=NOON,
                )
            )  # fmt: skip
            self.session.flush()
            for index, how in enumerate(answered):
                self.session.add(
                    LLMCall(
                        id=call_key(key, index), game_turn_id=key, call_index=index,
                        model="scripted/bot" if how == SCRIPTED else "openai/Gpt",
                        model_answered=None if how in HOW else how,
                        cached=how == CACHED, error_class="Timeout" if how == FAILED else None,
                    )
                )  # fmt: skip
        self.session.flush()
        return game_id

"""A table at which games are written down: the shortest way to a database of finished games."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlmodel import Session, select

from db import Game, GamePlayer, Repository
from db.models import Prompt

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Sat(NamedTuple):
    """Who sat where, and what became of it."""

    agent: int
    rank: int
    team: str | None = None
    role: str | None = None
    decided: bool = False
    eliminated_turn: int | None = None
    reward: float | None = None


class Table:
    """Games are finished an hour after each other, from noon on 1 March 2026."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.repo = Repository(session)
        self.games = 0

    def agent(
        self, name: str, *, kind: str = "thinking", model: str = "small", prompt: str = "plain"
    ) -> int:
        made = self.repo.get_or_create_agent(
            self.repo.get_or_create_kind(kind).id or 0,
            self.repo.get_or_create_model(model, f"scripted/{model}").id or 0,
            self.prompt(prompt),
            alias=name,
        )
        return made.id or 0

    def prompt(self, name: str, forked_from: str | None = None) -> int:
        found = self.session.exec(select(Prompt).where(Prompt.name == name)).first()
        if found is None and forked_from is not None:
            found = self.repo.fork_prompt(self.prompt(forked_from), name, f"{name}: win.")
        if found is None:
            found = self.repo.create_prompt(name=name, content=f"{name}: play.")
        return found.id or 0

    def environment(self, name: str, players: int = 2, version: str = "1") -> int:
        made = self.repo.get_or_create_environment(name, players, package="p", version=version)
        return made.id or 0

    def tournament(self, name: str, environment: int) -> int:
        return self.repo.create_tournament(name, {}, 7, 1, environment).id or 0

    def play(
        self,
        environment: int,
        *seats: Sat,
        tournament: int | None = None,
        termination: str = "natural",
        block: int | None = None,
        status: str = "completed",
    ) -> int:
        game = Game(
            environment_id=environment,
            tournament_id=tournament,
            schedule_index=None if tournament is None else self.games,
            block=block,
            seed=self.games if block is None else block,
            status=status,
            termination=termination if status == "completed" else None,
            finished_at=NOON + timedelta(hours=self.games),
            fold_index=self.games if status == "completed" else None,
        )
        self.games += 1
        self.session.add(game)
        self.session.flush()
        for index, seat in enumerate(seats):
            self.session.add(
                GamePlayer(
                    game_id=game.id,
                    agent_id=seat.agent,
                    player_index=index,
                    rank=seat.rank,
                    team=seat.team,
                    role=seat.role,
                    decided=seat.decided,
                    eliminated_turn=seat.eliminated_turn,
                    reward=seat.reward,
                    turns=4,
                    silences=int(seat.decided),
                )
            )
        self.session.flush()
        return game.id or 0

    def duel(
        self, environment: int, winner: int, loser: int, times: int = 1, **facts: object
    ) -> None:
        """Two-player games, the seats swapped from each game at the table to the next."""
        for _ in range(times):
            seats = [Sat(winner, 0), Sat(loser, 1)]
            self.play(environment, *(seats if self.games % 2 else reversed(seats)), **facts)  # type: ignore[arg-type]

    def mafia(
        self,
        environment: int,
        mafia: Sequence[int],
        village: Sequence[int],
        *,
        village_won: bool,
        **facts: object,
    ) -> None:
        """A game of Secret Mafia: the villagers are a Doctor and Villagers."""
        seats = [Sat(agent, int(village_won), "Mafia", "Mafia") for agent in mafia]
        for place, agent in enumerate(village):
            role = "Villager" if place else "Doctor"
            seats.append(Sat(agent, int(not village_won), "Village", role))
        self.play(environment, *seats, **facts)  # type: ignore[arg-type]

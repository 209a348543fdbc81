"""Games in which something is known to differ."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlmodel import select

from db import Repository, get_session
from db.models import EventType, Game, GameEvent
from db.session import Session
from tests.db.tournaments import tournament

GAMES = 60
_NOW = datetime(2026, 1, 31, tzinfo=UTC)


def planted(url: str) -> None:
    """Sixty games of agent-0 against agent-1, who change seats. Player 0 wins nine of ten; two of
    five turns of agent-1 are refused, all of them in the phase `vote`; agent-1 votes for another
    player than it spoke against, every other call to its model times out, and every third reply to
    the other's is cut."""
    tournament(url, games=GAMES, agents=2)
    with get_session(url) as session:
        kinds = {row.name: row.id or 0 for row in session.exec(select(EventType))}
        for game in session.exec(select(Game).order_by(Game.id)).all():  # type: ignore[arg-type]
            _play(session, game, kinds)


def _play(session: Session, game: Game, kinds: dict[str, int]) -> None:
    repo, number = Repository(session), game.id or 0
    game.status, game.turn_count, game.finished_at = "completed", 4, _NOW
    won = 1 if number % 10 == 0 else 0
    seq = 0

    def tell(kind: str, turn: int, phase: str, source: int, target: int | None = None) -> None:
        nonlocal seq
        session.add(
            GameEvent(game_id=number, seq=seq, turn=turn, day=1, phase=phase, kind=kinds[kind],
                      source=source, target=target)
        )  # fmt: skip
        seq += 1

    for seat in game.players:
        player, other = seat.player_index, 1 - seat.player_index
        second = seat.agent_id % 2 == 0
        seat.rank, seat.role, seat.team = (0 if player == won else 1), "Guest", f"team {player}"
        seat.turns, seat.invalid_actions = 5, 2 if second else 0
        say = repo.add_game_turn(number, player, player, "You see.", "I do not trust them. " * 3)
        vote = repo.add_game_turn(number, 2 + player, player, "You see.", f"[{other}]")
        vote.invalid = second
        tell("speech", player, "talk", player)
        tell("accusation", player, "talk", player, other)
        tell("vote", 2 + player, "vote", player, player if second else other)
        if second:
            tell("refused", 2 + player, "vote", player)
        if second and number % 2:
            repo.add_llm_call(
                say.id, "scripted/1", [], {}, None, _NOW, error_class="Timeout", error_message="…"
            )
        for turn in (say, vote):
            cut = not second and number % 3 == 0
            repo.add_llm_call(
                turn.id, f"scripted/{int(second)}", [], {}, None, _NOW, text="yes",
                finish_reason="length" if cut else "stop",
            )  # fmt: skip

"""Which game comes next: the schedule's order, except that nobody waits who need not."""

from __future__ import annotations

from arena.orchestrator.ready_queue import Pending
from db.queries.schedule import ScheduledGame


def pending(*models: str) -> Pending:
    """One game for each word; its letters are the models that it asks."""
    games = [ScheduledGame(10 + index, index, 0, 7, (index,)) for index in range(len(models))]
    return Pending(games, lambda game: set(models[game.schedule_index]))


def taken(games: Pending, *busy: str) -> list[int]:
    """The places in the schedule of all games, in the order in which they are taken."""
    return [game.schedule_index for game in iter(lambda: games.take(set(busy)), None)]


def test_games_come_in_schedule_order() -> None:
    assert taken(pending("ab", "a", "b", "ab", "a")) == [0, 1, 2, 3, 4]


def test_games_of_a_busy_model_come_last_and_in_order() -> None:
    assert taken(pending("ab", "a", "b", "ab", "a"), "b") == [1, 4, 0, 2, 3]


def test_when_every_model_is_busy_the_schedule_decides() -> None:
    assert taken(pending("b", "a", "b"), "a", "b") == [0, 1, 2]


def test_it_says_whether_a_game_need_not_wait() -> None:
    games = pending("ab", "a")
    assert games.playable({"b"})
    assert not games.playable({"a"})
    assert not pending().playable(set())


def test_the_games_of_a_parked_model_are_forgotten() -> None:
    games = pending("ab", "a", "b")
    games.drop("b")
    assert taken(games) == [1]

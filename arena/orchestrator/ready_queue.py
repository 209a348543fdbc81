"""The ready queue of a run: the game that comes next, and whether one is ready."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Set

from db.queries.schedule import ScheduledGame


class Pending:
    """Games that were begun, then the others in schedule order, kept by the set of models that they
    ask: there are few such sets, so that asking for a game whose models are free costs little
    however many games are left."""

    def __init__(
        self, games: Iterable[ScheduledGame], models: Callable[[ScheduledGame], Set[str]]
    ) -> None:
        self._models = models
        self._games: dict[frozenset[str], deque[ScheduledGame]] = {}
        self.add(games)

    def add(self, games: Iterable[ScheduledGame]) -> None:
        """Take further games, later in the schedule than those that are there."""
        for game in games:
            self._games.setdefault(frozenset(self._models(game)), deque()).append(game)

    def again(self, game: ScheduledGame, *, first: bool) -> None:
        """Take a game that is played again, after the others or `first` of all."""
        if first:
            self.put_back(game)
        else:
            self.add([game])

    def put_back(self, game: ScheduledGame) -> None:
        """Take a game that was taken and not played; it comes next."""
        self._games.setdefault(frozenset(self._models(game)), deque()).appendleft(game)

    def playable(self, busy: Set[str]) -> bool:
        """Whether a game asks none of the `busy` models."""
        return any(not models & busy for models in self._games)

    def take(self, busy: Set[str]) -> ScheduledGame | None:
        """The next game that asks none of the `busy` models, else the next one; one that was begun
        before any other. None when none is left."""
        if not self._games:
            return None
        free = [models for models in self._games if not models & busy]
        models = min(free or self._games, key=lambda key: _place(self._games[key][0]))
        games = self._games[models]
        game = games.popleft()
        if not games:
            del self._games[models]
        return game

    def drop(self, model: str) -> None:
        """Forget every game that asks this model."""
        self._games = {key: games for key, games in self._games.items() if model not in key}


def _place(game: ScheduledGame) -> tuple[bool, int]:
    return not game.begun, game.schedule_index

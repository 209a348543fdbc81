"""The matchmaker `random`: every game draws its agents and their places by lot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

from arena.core import Casting, Pairing, Standings
from arena.matchmakers.blocks import Lineup
from arena.matchmakers.fixed import FixedSchedule
from arena.matchmakers.schedule import Frame, frame


class RandomMatchmaker:
    """Each game seats distinct agents, all equally likely, in an order equally likely.

    Options: `seating` (rotate, clones or opposite), `blocks` and `repeat`, as all matchmakers have
    them. With `repeat` and fewer agents than players each takes as many seats as any other, and who
    takes the seats left over is drawn.
    """

    def __init__(
        self,
        *,
        agents: Sequence[int],
        num_players: int,
        games: int,
        seed: int,
        options: Mapping[str, Any],
        casting: Casting,
    ) -> None:
        """Raises UsageError; see `arena.matchmakers.schedule.frame`."""
        self._schedule = FixedSchedule(
            frame(
                "random",
                agents=agents,
                num_players=num_players,
                games=games,
                seed=seed,
                options=options,
                casting=casting,
            ),
            _lots,
            stream="random",
        )

    @property
    def lag(self) -> None:
        return None

    def next(self, standings: Standings, room: int) -> Sequence[Pairing]:
        """The blocks that follow what is scheduled; nothing else in the standings counts."""
        return self._schedule.next(standings, room)


def _lots(frame: Frame, rng: Random) -> Iterator[Lineup]:
    agents = frame.agents
    copies, drawn = divmod(frame.seating.meet, len(agents))
    while True:
        seated = [*agents] * copies + rng.sample(agents, drawn)
        if copies:
            rng.shuffle(seated)
        yield tuple(seated)

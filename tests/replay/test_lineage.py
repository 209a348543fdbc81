"""A recorded game is taken up again with the agents, replies and seeds that it had."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from arena.core import LLM, Action, CallOptions, Completion, Message, Observation
from arena.game.loop import turn_seed
from arena.game.seating import Relay
from arena.game.task import GameTask
from arena.replay.lineage import Generation, Lineage


class Parrot:
    """Says what is new to it."""

    async def act(self, observation: Observation, llm: LLM) -> Action:
        return Action(observation.new)


class Nobody:
    """A model that is not asked."""

    async def complete(
        self, messages: Sequence[Message], options: CallOptions | None = None
    ) -> Completion:
        raise AssertionError("asked")


def test_to_an_agent_that_comes_later_everything_is_new_once() -> None:
    relay = Relay(((0, Parrot()), (4, Parrot())))
    seen = [
        Observation(1, 0, "a", "a"),
        Observation(1, 2, "abc", "bc"),
        Observation(1, 4, "abcd", "d"),
        Observation(1, 6, "abcdef", "ef"),
    ]

    async def acting() -> list[str]:
        return [(await relay.act(observation, Nobody())).text for observation in seen]

    assert asyncio.run(acting()) == ["a", "bc", "abcd", "ef"]


def test_a_lineage_says_who_sat_where_and_with_which_seeds() -> None:
    root = Lineage(7, 1, (Generation(1, 0, 0, (10, 11)),))
    child = root.branched(Generation(2, 5, 0, (10, 12)))
    sibling = root.branched(Generation(3, 5, 1, (10, 12)))
    back = child.branched(Generation(4, 8, 0, (10, 11)))
    before = child.branched(Generation(5, 3, 0, (10, 11)))

    assert child.sitters(0) == ((0, 10),)
    assert child.sitters(1) == ((0, 11), (5, 12))
    assert back.sitters(1) == ((0, 11), (5, 12), (8, 11))
    assert before.sitters(1) == ((0, 11),), "it never left: it keeps its memory"

    played = [
        [GameTask("E", of.seed, (), 9, call_seeds=of.call_seeds()).call_seed(t) for t in range(10)]
        for of in (root, child, sibling, back, before)
    ]
    of_root, of_child, _, of_back, of_before = played
    assert of_root == [turn_seed(7, turn) for turn in range(10)]
    assert of_child[:5] == of_root[:5]
    assert of_back[:8] == of_child[:8]
    assert of_before[:3] == of_root[:3]
    assert [len({seeds[turn] for seeds in played}) for turn in (2, 3, 5, 8)] == [1, 2, 4, 4]

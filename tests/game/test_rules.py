"""Rules of strangers: what they raise or return amiss voids their game, with the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from arena.core import (
    EnvironmentCrash,
    Observation,
    Outcome,
    PlayerResult,
    RecordError,
    Step,
    Termination,
    UsageError,
    VoidCause,
)
from arena.game.loop import GameResult, Voided, play
from arena.game.rules import GuardedRules
from tests.game.test_loop import Countdown, Diary, NoLLM, Says

METHODS = ("reset", "observe", "prepare", "step", "outcome")
RESULT = (PlayerResult(0, None, None, 0, 1.0), PlayerResult(1, None, None, 1, -1.0))
OUTCOME = Outcome(RESULT, Termination.NATURAL, "counted", None)


def played(method: str, does: Callable[..., Any]) -> GameResult:
    """A game of three turns under rules one method of which is another."""
    game = Countdown([])
    setattr(game, method, does)
    rules = GuardedRules(lambda: game, num_players=2)
    agents = [Says(["1", "3"]), Says(["2"])]
    return asyncio.run(
        play(
            rules,
            agents,
            seed=7,
            llm=lambda observation, turn: NoLLM(),
            log=Diary([]),
            turn_limit=9,
        )
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "error",
    [
        KeyError("board"),
        UsageError("such options are not known"),
        RecordError("no disk of ours"),
        SystemExit(3),
        RecursionError("too deep"),
        EnvironmentCrash("no traceback", ""),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_rules_raise_makes_the_game_void_with_its_traceback(
    method: str, error: BaseException
) -> None:
    def raises(*args: object, **kwargs: object) -> None:
        raise error

    result = played(method, raises)

    assert isinstance(result, Voided)
    assert result.cause is VoidCause.ENVIRONMENT
    assert result.error.startswith("Traceback (most recent call last):")
    assert "in raises" in result.error
    assert type(error).__name__ in result.error.splitlines()[-1]


@pytest.mark.parametrize("raised", [KeyboardInterrupt, asyncio.CancelledError])
def test_a_person_who_interrupts_is_not_the_rules_fault(raised: type[BaseException]) -> None:
    def raises(action: str) -> Step:
        raise raised

    with pytest.raises(raised):
        played("step", raises)


@pytest.mark.parametrize(
    ("method", "returned", "said"),
    [
        ("observe", None, "observe() returned NoneType; expected Observation"),
        ("observe", "3 left", "observe() returned str; expected Observation"),
        ("observe", Observation(2, 0, "", ""), "player 2 is to move; there are players 0 to 1"),
        ("observe", Observation(-1, 0, "", ""), "player -1 is to move"),
        ("observe", Observation(True, 0, "", ""), "player True is to move"),
        ("observe", Observation(0, 4, "", ""), "says turn 4 in turn 0"),
        ("observe", Observation(0, 0, None, ""), "an Observation whose text is no str"),  # type: ignore[arg-type]
        ("prepare", None, "prepare() returned NoneType; expected str"),
        ("step", None, "step() returned NoneType; expected Step"),
        ("step", (True, {}), "step() returned tuple; expected Step"),
        ("outcome", None, "outcome() returned NoneType; expected Outcome"),
        ("outcome", replace(OUTCOME, players=RESULT[:1]), "has 1 players, 2 have played"),
        ("outcome", replace(OUTCOME, players=(*RESULT, RESULT[0])), "has 3 players, 2 have played"),
        ("outcome", replace(OUTCOME, players=RESULT[::-1]), "has player 1 at place 0"),
        ("outcome", replace(OUTCOME, players=(RESULT[0], None)), "returned NoneType; expected Pla"),
        ("outcome", replace(OUTCOME, termination="natural"), "the termination 'natural', which"),
        ("outcome", replace(OUTCOME, reason=None), "the reason None; expected a text"),
        ("outcome", replace(OUTCOME, winning_team=1), "the winning_team 1; expected a text"),
        *(
            (
                "outcome",
                replace(OUTCOME, players=(RESULT[0], replace(RESULT[1], **{name: value}))),
                f"gave player 1 the {name} {value!r}",
            )
            for name, value in [
                ("rank", -1),
                ("rank", 0.5),
                ("rank", None),
                ("invalid_actions", "none"),
                ("reward", float("inf")),
                ("reward", None),
                ("role", 3),
                ("team", b"red"),
            ]
        ),
    ],
)
def test_what_rules_return_amiss_makes_the_game_void_in_one_sentence(
    method: str, returned: object, said: str
) -> None:
    result = played(method, lambda *args, **kwargs: returned)

    assert isinstance(result, Voided)
    assert result.cause is VoidCause.ENVIRONMENT
    assert result.error.startswith("the rules broke their protocol: ")
    assert said in result.error
    assert len(result.error.splitlines()) == 1


def test_rules_that_cannot_be_made_or_have_no_spec_raise_only_a_crash() -> None:
    with pytest.raises(EnvironmentCrash, match="ZeroDivisionError"):
        GuardedRules(lambda: 1 // 0, num_players=2)  # type: ignore[arg-type, return-value]
    with pytest.raises(EnvironmentCrash, match="no attribute 'spec'"):
        GuardedRules(lambda: object(), num_players=2)  # type: ignore[arg-type, return-value]


class Silent(Exception):
    def __str__(self) -> str:
        raise ValueError("not even my message")


def test_an_error_that_cannot_be_printed_is_told_all_the_same() -> None:
    def raises(action: str) -> Step:
        raise Silent

    result = played("step", raises)

    assert isinstance(result, Voided)
    assert "Silent: <exception str() failed>" in result.error

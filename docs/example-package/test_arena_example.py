"""What a package of your own needs to test of its plugins: that they keep the arena's promises."""

import asyncio

from arena_example.airtime import Airtime
from arena_example.blunt import Blunt
from arena_example.challenge import Challenge
from arena_example.dice import Dice
from arena_example.echo import Echo
from arena_example.glicko import Glicko
from arena_example.serial import Serial
from arena_example.subtraction import Subtraction

from arena.core import ModelSpec, Observation
from arena.llm.toolbox import ToolAnswer, Toolbox
from arena.testing import (
    check_covariate,
    check_environment,
    check_executor,
    check_matchmaker,
    check_provider,
    check_rating_system,
    check_reader,
)


def test_the_subtraction_game_keeps_the_protocol() -> None:
    check_environment(lambda: Subtraction(name="Subtraction-v0"))


def test_glicko_keeps_the_protocol() -> None:
    check_rating_system(Glicko)


def test_airtime_keeps_the_protocol() -> None:
    check_covariate(Airtime)


def test_the_blunt_reader_keeps_the_protocol() -> None:
    check_reader(Blunt)


def test_the_challenge_keeps_the_protocol() -> None:
    check_matchmaker(Challenge, agents=[4, 7, 1], num_players=2, games=12)


def test_the_echo_keeps_the_protocol() -> None:
    check_provider(Echo, model=ModelSpec("one", "echo/[1]"), unknown=ModelSpec("x", "other/[1]"))


def test_dice_are_the_same_again_and_refuse_what_cannot_be_thrown() -> None:
    box = Toolbox([("dice", Dice(sides=6))])
    seen = Observation(1, 3, "Your turn.", "")

    def throw(written: str) -> ToolAnswer:
        return asyncio.run(box.run("throw_dice", written, seen, 5.0))

    thrown = throw('{"number": 4}')
    assert [1 <= int(each) <= 6 for each in thrown.result.split()] == [True] * 4
    assert throw('{"number": 4}').result == thrown.result
    assert throw('{"number": 11}').error == "refused"
    assert throw('{"number": "four"}').error == "arguments"


def test_the_serial_executor_keeps_the_protocol() -> None:
    check_executor(Serial)

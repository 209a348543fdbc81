"""What a package of your own needs to test of its plugins: that they keep the arena's promises."""

from arena_example.airtime import Airtime
from arena_example.blunt import Blunt
from arena_example.challenge import Challenge
from arena_example.echo import Echo
from arena_example.glicko import Glicko
from arena_example.serial import Serial
from arena_example.subtraction import Subtraction

from arena.core import ModelSpec
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


def test_the_serial_executor_keeps_the_protocol() -> None:
    check_executor(Serial)

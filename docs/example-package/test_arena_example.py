"""What a package of your own needs to test of its rules: that they keep the arena's promises."""

from arena_example.subtraction import Subtraction

from arena.testing import check_environment


def test_the_subtraction_game_keeps_the_protocol() -> None:
    check_environment(lambda: Subtraction(name="Subtraction-v0"))

"""What is offered equals what TextArena registers, less a list of exclusions with reasons."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points

import pytest
from textarena.envs.registration import ENV_REGISTRY

from arena.core import UsageError
from arena.environments import textarena_facts
from arena.environments.textarena import TextArena
from arena.environments.textarena_facts import (
    EXCLUDED,
    FAMILIES,
    SINGLE_PLAYER,
    Facts,
    family_of,
)
from arena.environments.textarena_mended import RULES
from tests.environments.catalogue import environments

# TextArena registers every environment again as `-raw` and `-train`.
BASE = {name for name in ENV_REGISTRY if f"{name}-raw" in ENV_REGISTRY} | {"BabyAiText-v0"}
OFFERED = {name for name in BASE if family_of(name) in FAMILIES}
each = pytest.mark.parametrize("name", environments(sorted(OFFERED)))


def test_every_environment_of_textarena_is_offered_or_excluded_with_a_reason() -> None:
    families = {family_of(name) for name in BASE}
    assert families == set(FAMILIES) | set(EXCLUDED) | SINGLE_PLAYER
    assert not set(FAMILIES) & set(EXCLUDED)
    assert all(EXCLUDED.values())


def test_the_entry_points_are_the_offered_environments() -> None:
    ours = "arena.environments.textarena:TextArena"
    points = entry_points(group="arena.environments")
    twins = {f"{name}-mended" for name in OFFERED if TextArena(name=name).spec.twin}
    assert {point.name for point in points if point.value == ours} == OFFERED | twins
    assert {family_of(name) for name in twins} == set(RULES)
    assert len(OFFERED) == 133


@each
def test_the_rules_seat_exactly_the_players_of_the_spec(name: str) -> None:
    spec = TextArena(name=name).spec
    for num_players in {spec.min_players, spec.max_players}:
        TextArena(name=name).reset(seed=1, num_players=num_players)
    for num_players in (1, spec.min_players - 1, spec.max_players + 1):
        with pytest.raises(UsageError, match=f"{name} was given {num_players} players"):
            TextArena(name=name).reset(seed=1, num_players=num_players)


@each
def test_the_rules_are_given_whole_what_the_spec_says_and_no_more(name: str) -> None:
    environment = TextArena(name=name)
    longest = environment.spec.max_characters
    assert longest is not None
    environment.reset(seed=1, num_players=environment.spec.min_players)

    whole, longer = "x" * longest, "x" * longest + "y"

    assert whole in environment.prepare(whole)
    assert longer not in environment.prepare(longer)


def test_a_team_game_of_two_equal_teams_wants_an_even_number() -> None:
    with pytest.raises(UsageError, match="5 players; it is played by 4 to 14, in even numbers"):
        TextArena(name="Taboo-v0").reset(seed=1, num_players=5)


@pytest.mark.parametrize("family", sorted(EXCLUDED))
def test_an_excluded_environment_says_why(family: str) -> None:
    with pytest.raises(UsageError, match=f"cannot be played here: {EXCLUDED[family]}"):
        TextArena(name=f"{family}-v0")


def test_games_for_one_are_refused_and_wrong_names_get_the_nearest() -> None:
    with pytest.raises(UsageError, match="a game for one player"):
        TextArena(name="Wordle-v0")
    with pytest.raises(UsageError, match=r"Did you mean SecretMafia-v0\?"):
        TextArena(name="SecretMafai-v0")


def test_an_old_python_is_told_what_it_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textarena_facts.sys, "version_info", (3, 11, 9))
    with pytest.raises(UsageError, match=r"Chess-v0 needs Python 3\.12 or newer"):
        TextArena(name="Chess-v0").reset(seed=1, num_players=2)
    with pytest.raises(UsageError, match=r"needs Python 3\.12"):
        TextArena(name="Chess-v0", max_turns=10)


def test_an_option_that_the_rules_do_not_take_is_refused() -> None:
    with pytest.raises(UsageError, match="Did you mean 'discussion_rounds'"):
        TextArena(name="SecretMafia-v0", discusion_rounds=1)
    game = TextArena(name="SecretMafia-v0", discussion_rounds=1)
    game.reset(seed=1, num_players=6)
    assert game.spec.options == {"discussion_rounds": 1}


def test_options_that_the_rules_cannot_start_with_are_the_users_to_mend() -> None:
    with pytest.raises(UsageError, match="could not be started with the options"):
        TextArena(name="Snake-v0", width=2, height=2).reset(seed=1, num_players=2)


def test_what_is_known_of_an_environment_costs_no_import() -> None:
    code = (
        "import sys\n"
        "from arena.environments.textarena import TextArena\n"
        "spec = TextArena(name='SecretMafia-v0').spec\n"
        "assert (spec.min_players, spec.max_players, spec.version) == (6, 15, '0.7.4'), spec\n"
        "assert not {'textarena', 'numpy', 'nltk'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_facts_have_descriptions() -> None:
    assert all(isinstance(facts, Facts) and facts.description for facts in FAMILIES.values())

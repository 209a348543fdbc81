"""`--set` puts values in the place of what a file says; what is wrong with one names it."""

from __future__ import annotations

import pytest

from arena.config import TournamentConfig, loads
from arena.core import ConfigError

FILE = """\
name: small
games: 6
environment: {name: TicTacToe-v0, players: 2}
models:
  - {name: gpt-4.1, litellm_model: scripted/random}
prompts:
  - {name: plain, text: Play.}
agents:
  - {name: Ann, model: gpt-4.1, prompt: plain}
  - {name: Bob, kind: remembering, model: gpt-4.1, prompt: plain}
"""


def read(*settings: str) -> TournamentConfig:
    return loads(FILE, source="small.yaml", settings=settings)


def refused(*settings: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(*settings)
    return str(caught.value)


def test_a_setting_replaces_adds_and_takes_away() -> None:
    config = read(
        "games=50",
        "llm.timeout=5",
        "budget=2.5",
        "environment.options={discussion_rounds: 2}",
        "agents.Bob.options.notes=3",
        "models[0].params.stop=[END, STOP]",
        "matchmaker.blocks=true",
    )

    assert (config.games, config.llm.timeout, config.budget) == (50, 5, 2.5)
    assert config.environment.options == {"discussion_rounds": 2}
    assert config.agents[1].options == {"notes": 3}
    assert config.models[0].params == {"stop": ["END", "STOP"]}
    assert config.matchmaker.options == {"blocks": True}
    assert read("budget=2.5", "budget=null").budget is None
    assert read("games=7", "games=8").games == 8


def test_a_tournament_with_a_setting_is_the_one_that_says_it_itself() -> None:
    written = loads(FILE.replace("games: 6", "games: 50"))
    assert read("games=50").config_hash == written.config_hash


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("games=abc", "--set games: games: expected a whole number, found 'abc'"),
        ("games=0", "--set games: games: expected a number from 1 up, found 0"),
        ("gmaes=3", "--set gmaes: unknown key 'gmaes'; did you mean 'games'?"),
        ("agents.0.modle=x", "--set agents.0.modle: unknown key 'modle' in agents[0]; did you"),
        ("agents.An.kind=x", "no entry 'An'; expected a name, or a number from 0 to 1; did you"),
        ("agents.2.kind=x", "--set agents.2.kind: no entry '2'; expected a name, or a number"),
        ("games.most=3", "--set games.most: what 'most' would be in is 6, which has no keys"),
        ("games", "--set expects KEY=VALUE, as in games=50; found 'games'"),
        ("=3", "--set expects KEY=VALUE"),
        ("games=", "--set games: expected a value behind '='; null takes a value away"),
        ("games=# six", "--set games: expected a value behind '='"),
        ("games=[6", "--set games:1: not YAML"),
        ("games=!!python/name:os.system x", "--set games:1: the tag"),
    ],
)
def test_a_wrong_setting_is_named(setting: str, message: str) -> None:
    assert message in refused(setting)


def test_what_is_wrong_in_the_file_and_in_a_setting_is_said_at_once() -> None:
    said = refused("llm.timeout=0", "agents.1.kind=thinking")
    assert "small.yaml:10: agents[1] is the same agent as 'Ann'" in said
    assert "--set llm.timeout: llm.timeout: expected a number above 0, found 0" in said


def test_a_secret_in_a_setting_is_refused_and_not_shown() -> None:
    secret = "sk-abcdefghijklmnopqrstuvwx"
    for setting in (f"models.0.params.api_key={secret}", f"seed={secret}", secret):
        assert secret not in refused(setting)


def test_later_errors_name_the_setting_behind_them() -> None:
    config = read("environment.players=3", "games=50")
    assert config.where("environment") == "--set environment.players"
    assert config.where("agents", 0) == "small.yaml:9"
    assert str(config.error("too many", "matchmaker")) == (
        "small.yaml:1: too many (with --set environment.players, --set games)"
    )

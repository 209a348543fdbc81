"""Prompts with variables are played, replayed and known again; wrong ones stop before a call."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text

from arena.config import TournamentConfig, loads
from arena.core import ConfigError
from arena.forecast.plan import plan
from arena.orchestrator import run
from arena.replay.check import check
from db import get_session

pytestmark = pytest.mark.slow

MAFIA = "{name: SecretMafia-v0-mended, players: 6, options: {discussion_rounds: 1}}"
FILE = f"""\
name: toned
environment: {MAFIA}
games: 1
matchmaker: {{name: round-robin, repeat: true}}
models:
  - {{name: sharp, litellm_model: scripted/mafia-sharp}}
prompts:
  - name: toned
    text: "{{{{role}}}} of {{{{team}}}} at {{{{phase}}}}, {{{{players}}}}: be {{{{vars.tone}}}}."
agents:
  - {{name: Calm, model: sharp, prompt: toned, vars: {{tone: calm}}}}
  - {{name: Wild, model: sharp, prompt: toned, vars: {{tone: wild}}}}
  - {{name: Chat, model: sharp, prompt: toned, options: {{history: chat}}, vars: {{tone: calm}}}}
  - {{name: Notes, kind: remembering, model: sharp, prompt: toned, vars: {{tone: calm}}}}
"""


def other(environment: str, variables: str) -> TournamentConfig:
    """Another tournament, of the catalogue's models and prompts."""
    return loads(
        f"name: other\nenvironment: {environment}\ngames: 1\n"
        "matchmaker: {name: round-robin, repeat: true}\nagents:\n"
        f"  - {{name: A, model: sharp, prompt: toned, vars: {variables}}}\n",
        source="t.yaml",
    )


def test_a_tournament_with_variables_is_one_and_replays(sqlite_url: str) -> None:
    summary = asyncio.run(run(loads(FILE), url=sqlite_url))

    assert (summary.games_completed, summary.games_void) == (1, 0)
    assert check(1, sqlite_url).ok
    with get_session(sqlite_url, create=False) as session:
        options = session.connection().execute(text("SELECT options FROM agents ORDER BY id"))
        assert '{"vars": {"tone": "calm"}}' in str(options.first())

    # The catalogue's prompt is held to the same.
    for config, said in (
        (other(MAFIA, "{}"), "t.yaml:6: the prompt 'toned' uses {{vars.tone}} in line 1"),
        (other(MAFIA, "{tune: b}"), "has no 'tone'; did you mean 'tune'?"),
        (other("{name: TicTacToe-v0, players: 2}", "{tone: b}"), "does not tell a player its role"),
    ):
        with pytest.raises(ConfigError) as planned:
            plan(config, url=sqlite_url, estimate=True)
        with pytest.raises(ConfigError) as caught:
            asyncio.run(run(config, url=sqlite_url))
        assert said in str(caught.value)
        assert said in str(planned.value)


def test_a_game_that_does_not_tell_it_refuses_the_prompt_in_the_file() -> None:
    changed = FILE.replace(MAFIA, "{name: ColonelBlotto-v0, players: 2}")
    with pytest.raises(ConfigError) as caught:
        plan(loads(changed, source="t.yaml"))
    assert "t.yaml:8: the prompt uses {{team}} in line 1, and ColonelBlotto-v0" in str(caught.value)

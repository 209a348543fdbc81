"""What a tournament will take is estimated without asking anybody, and holds when it is played."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from sqlalchemy import text

from arena import registry
from arena.config import TournamentConfig, loads
from arena.core import ConfigError, EnvironmentCrash, ModelSpec, UsageError
from arena.forecast.cost import Estimate, ForecastInterval, estimate
from arena.llm.costs.prices import PriceTable, own_prices
from arena.orchestrator import run
from arena.orchestrator.preflight import prepare
from db import Repository, get_session

BOARDS = """
name: boards
seed: 3
environment: {name: TicTacToe-v0, players: 2}
games: 60
models:
  - {name: random, litellm_model: scripted/random}
prompts:
  - {name: plain, text: "You are player {{player_index}}."}
agents:
  - {name: Ann, model: random, prompt: plain}
  - {name: Bob, kind: remembering, model: random, prompt: plain}
"""

HOSTED = """
name: hosted
environment: {name: TicTacToe-v0, players: 2}
games: 40
concurrency: 4
models:
  - {name: cheap, litellm_model: openai/cheap, input_price: 1, output_price: 10}
  - {name: dear, litellm_model: openai/dear}
prompts:
  - {name: plain, text: "You are player {{player_index}}."}
agents:
  - {name: Ann, model: cheap, prompt: plain}
  - {name: Bob, model: dear, prompt: plain}
"""


class Ask(Protocol):
    def __call__(
        self,
        config: TournamentConfig,
        url: str | None = None,
        *,
        games: int | None = None,
        rehearsals: int = 4,
    ) -> Estimate: ...


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """Estimates a tournament; without a URL, where there is no database yet."""

    def asking(
        config: TournamentConfig,
        url: str | None = None,
        *,
        games: int | None = None,
        rehearsals: int = 4,
    ) -> Estimate:
        return estimate(
            config,
            prepare(config),
            url=url or tmp_path / "none.db",
            games_left=config.games if games is None else games,
            rehearsals=rehearsals,
        )

    return asking


def totals(url: str) -> tuple[int, int, int]:
    with get_session(url) as session:
        calls, prompts, answers = session.execute(
            text("SELECT COUNT(*), SUM(prompt_tokens), SUM(response_tokens) FROM llm_calls")
        ).one()
    return int(calls), int(prompts), int(answers)


def inside(value: float, interval: ForecastInterval) -> bool:
    return interval.low <= value <= interval.high


@pytest.mark.slow
def test_the_games_of_a_scripted_tournament_are_within_the_interval(
    ask: Ask, sqlite_url: str
) -> None:
    config = loads(BOARDS)

    expected = ask(config, sqlite_url, rehearsals=6)
    asyncio.run(run(config, url=sqlite_url))

    calls, prompts, answers = totals(sqlite_url)
    assert expected.rehearsed == 18
    assert inside(calls, expected.calls)
    assert inside(prompts, expected.prompt_tokens)
    assert inside(answers, expected.response_tokens)
    assert expected.calls.high < 1.2 * expected.calls.low
    assert expected.dollars == ForecastInterval(0.0, 0.0, 0.0)
    assert 0.0 < expected.seconds.mean < 60.0


def test_a_scripted_tournament_of_which_every_game_is_rehearsed_is_known_exactly(
    ask: Ask,
    sqlite_url: str,
) -> None:
    config = loads(BOARDS.replace("games: 60", "games: 10"))

    expected = ask(config, sqlite_url)
    asyncio.run(run(config, url=sqlite_url))

    calls, prompts, answers = totals(sqlite_url)
    assert expected.calls == ForecastInterval(calls, calls, calls)
    assert expected.prompt_tokens == ForecastInterval(prompts, prompts, prompts)
    assert expected.response_tokens == ForecastInterval(answers, answers, answers)
    assert expected.notes == ("All 10 games were rehearsed, and no provider was asked.",)


def test_only_what_is_left_is_estimated(ask: Ask) -> None:
    config = loads(BOARDS)

    assert ask(config, games=30).calls.mean == pytest.approx(ask(config).calls.mean / 2, rel=0.1)
    assert ask(config, games=0).calls == ForecastInterval(0.0, 0.0, 0.0)
    assert ask(config, games=0).models == {}


def test_dollars_are_those_of_the_prices_and_an_unknown_price_is_said(ask: Ask) -> None:
    config = loads(HOSTED)

    found = ask(config)

    cheap, dear = found.models["cheap"], found.models["dear"]
    dollars = (cheap.prompt_tokens.mean + 10 * cheap.response_tokens.mean) / 1e6
    assert cheap.dollars is not None
    # What is open of the price is 1 on average; answers have a long tail.
    assert cheap.dollars.mean == pytest.approx(dollars, rel=0.02)
    assert cheap.dollars.low < cheap.dollars.mean < cheap.dollars.high
    assert dear.dollars is None
    assert found.dollars is None
    assert (
        "dear: no price is known; give it input_price and output_price to see dollars."
        in found.notes
    )


def test_prices_may_come_from_elsewhere(tmp_path: Path) -> None:
    def price_of(model: ModelSpec) -> PriceTable | None:
        return own_prices(replace(model, input_price=2.0, output_price=2.0))

    config = loads(HOSTED)
    found = estimate(
        config,
        prepare(config),
        url=tmp_path / "none.db",
        games_left=40,
        rehearsals=4,
        price_of=price_of,
    )

    assert found.dollars is not None
    tokens = found.prompt_tokens.mean + found.response_tokens.mean
    assert found.dollars.mean == pytest.approx(2 * tokens / 1e6, rel=0.01)


def test_without_a_record_the_intervals_are_those_of_the_stated_ranges(ask: Ask) -> None:
    found = ask(loads(HOSTED)).models["cheap"]

    # How long games are is open too: a little beyond the range of an answer, on either side.
    low, high = found.response_tokens.low, found.response_tokens.high
    assert 10 / 1.6 < low / found.calls.mean < 10
    assert 600 < high / found.calls.mean < 600 * 1.3


def test_tokens_of_requests_follow_from_their_characters(ask: Ask) -> None:
    short = HOSTED.replace("openai/cheap,", "openai/cheap, params: {max_tokens: 2},").replace(
        "openai/dear", "openai/dear, params: {max_tokens: 2}"
    )
    scripted = short.replace("openai/cheap", "scripted/random").replace(
        "openai/dear", "scripted/random"
    )
    found, counted = ask(loads(short)), ask(loads(scripted))

    a_call = found.prompt_tokens.mean / found.calls.mean
    # The mean of a range is above its middle, and longer games have longer requests.
    counted_call = counted.prompt_tokens.mean / counted.calls.mean
    assert a_call == pytest.approx(1.2 * counted_call, rel=0.05)


def test_max_tokens_bounds_the_answers(ask: Ask) -> None:
    bounded = HOSTED.replace("openai/cheap,", "openai/cheap, params: {max_tokens: 30},")

    found = ask(loads(bounded))

    each = found.models["cheap"].response_tokens.high / found.models["cheap"].calls.high
    assert 15 < each <= 30
    (note,) = [note for note in found.notes if note.startswith("cheap: no call is on record")]
    assert note.endswith("to 30 tokens an answer are assumed.")


def as_if_cheap(url: str, changes: str = "") -> None:
    """Make what is on record that of hosted models: Ann asks cheap, Bob asks dear."""
    with get_session(url) as session:
        repo = Repository(session)
        cheap = repo.create_model("cheap", "openai/cheap", input_price=1, output_price=10)
        dear = repo.create_model("dear", "openai/dear")
        prompt = repo.get_prompts()[0]
        version = registry.kind("thinking").version
        kind = repo.get_or_create_kind("thinking", version=version)
        for name, model in (("Ann", cheap), ("Bob", dear)):
            row = repo.get_agent_by_alias(name)
            assert row is not None
            session.execute(
                text("UPDATE game_players SET agent_id = :to WHERE agent_id = :was"),
                {
                    "to": repo.create_agent(kind.id or 0, model.id or 0, prompt.id or 0).id,
                    "was": row.id,
                },
            )
        session.execute(text("UPDATE llm_calls SET model = 'openai/cheap' " + changes))


def test_calls_on_record_say_how_agents_answer(ask: Ask, sqlite_url: str) -> None:
    asyncio.run(run(loads(BOARDS.replace("games: 60", "games: 6")), url=sqlite_url))
    as_if_cheap(
        sqlite_url,
        ", response_tokens = 90 + (id / 256) % 2 * 20, total_response_time_ms = 500",
    )
    before, after = ask(loads(HOSTED)).models["cheap"], ask(loads(HOSTED), sqlite_url)

    cheap = after.models["cheap"].response_tokens
    assert inside(100 * after.models["cheap"].calls.mean, cheap)
    assert cheap.high / cheap.low < before.response_tokens.high / before.response_tokens.low / 8
    said = [note for note in after.notes if note.startswith("cheap: ")]
    assert len(said) == 1
    assert "learned from" in said[0]
    assert "calls on record in this environment." in said[0]


def test_games_on_record_say_how_long_games_are(ask: Ask, sqlite_url: str) -> None:
    asyncio.run(run(loads(BOARDS.replace("games: 60", "games: 12")), url=sqlite_url))
    as_if_cheap(sqlite_url)
    before = ask(loads(HOSTED)).calls
    with get_session(sqlite_url) as session:
        # As if real players had ended every game after four turns of one call each.
        session.execute(
            text(
                "DELETE FROM llm_calls WHERE call_index > 0 OR game_turn_id IN "
                "(SELECT id FROM game_turns WHERE turn_number >= 4)"
            )
        )
    after = ask(loads(HOSTED), sqlite_url)

    assert inside(4 * 40, after.calls)
    assert after.calls.mean == pytest.approx(4 * 40, rel=0.1)
    assert after.calls.high - after.calls.low < (before.high - before.low) / 3
    assert any("learned from 12 on record: 4.0 turns each." in note for note in after.notes)


def test_what_is_on_record_without_texts_or_usage_is_no_fault(ask: Ask, sqlite_url: str) -> None:
    asyncio.run(run(loads(BOARDS.replace("games: 60", "games: 6")), url=sqlite_url))
    as_if_cheap(sqlite_url, ", prompt_tokens = NULL, response_tokens = NULL, charged = NULL")
    with get_session(sqlite_url) as session:
        session.execute(text("DELETE FROM call_payloads"))

    found = ask(loads(HOSTED), sqlite_url)

    assert found.calls.low < found.calls.mean < found.calls.high
    assert found.models["cheap"].response_tokens.high > 0


def test_limits_and_concurrency_make_it_last(ask: Ask, sqlite_url: str) -> None:
    plain = ask(loads(HOSTED))
    alone = ask(loads(HOSTED.replace("concurrency: 4", "concurrency: 1")))
    limited = ask(
        loads(HOSTED.replace("openai/dear", "openai/dear, limits: {requests_per_minute: 2}"))
    )

    assert alone.seconds.mean > 2.5 * plain.seconds.mean
    dear = limited.models["dear"]
    assert dear.seconds.mean >= 30 * dear.calls.mean * 0.99
    assert limited.seconds.mean >= dear.seconds.mean
    assert limited.calls == plain.calls


def test_the_same_question_has_the_same_answer_inside_a_running_loop_too(ask: Ask) -> None:
    config = loads(HOSTED)

    async def inside_a_loop() -> Estimate:
        return ask(config)

    assert asyncio.run(inside_a_loop()) == ask(config)


def test_models_and_prompts_of_the_catalogue_are_found(ask: Ask, sqlite_url: str) -> None:
    asyncio.run(run(loads(BOARDS.replace("games: 60", "games: 2")), url=sqlite_url))
    external = loads(
        BOARDS.replace("name: boards", "name: others").partition("models:")[0]
        + "agents:\n"
        + BOARDS.partition("agents:\n")[2]
    )

    assert ask(external, sqlite_url).calls == ask(loads(BOARDS)).calls
    with pytest.raises(ConfigError, match="no model 'random' in this file or in the catalogue"):
        ask(external)


def test_rules_that_cannot_be_played_say_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from arena.environments.textarena import TextArena

    config = loads(BOARDS)
    prepared = prepare(config)

    def broken(self: object, action: str) -> None:
        raise EnvironmentCrash("TicTacToe-v0 raised", "ZeroDivisionError: no board")

    monkeypatch.setattr(TextArena, "step", broken)

    with pytest.raises(UsageError, match=r"no game of TicTacToe-v0 could be .*no board"):
        estimate(config, prepared, url=tmp_path / "none.db", games_left=9, rehearsals=2)

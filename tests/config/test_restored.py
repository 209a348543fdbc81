"""A tournament is made again from its row in the database, without its file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.config import TournamentConfig, load, parse, restored
from arena.config.shipped import find, names
from arena.core import ConfigError


def stored(data: dict[str, Any]) -> dict[str, Any]:
    """What comes back from a database: JSON, its keys in another order."""
    read: dict[str, Any] = json.loads(json.dumps(data, sort_keys=True))
    return read


@pytest.mark.parametrize("name", names())
def test_every_shipped_tournament_comes_back_from_the_database(name: str) -> None:
    config = load(find(Path(name)))

    again = restored(stored(config.canonical()), stored(config.settings()))

    assert again.canonical() == config.canonical()
    assert again.config_hash == config.config_hash
    assert again.settings() == config.settings()
    assert [model.spec() for model in again.models] == [model.spec() for model in config.models]


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
amounts = st.floats(min_value=1e-6, max_value=1e6)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | amounts | text,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.just("k"), inner),
    max_leaves=4,
)


@st.composite
def tournaments(draw: st.DrawFn) -> TournamentConfig:
    models = [
        {
            "name": f"m{index}",
            "litellm_model": "x/y",
            "params": {"stop": draw(plain)},
            "input_price": draw(st.none() | amounts),
            "limits": {"requests_per_minute": draw(st.none() | amounts)},
            "budget": draw(st.none() | amounts),
        }
        for index in range(draw(st.integers(0, 2)))
    ]
    data = {
        "name": "t",
        "seed": draw(st.integers(0, 2**63 - 1)),
        "games": draw(st.integers(1, 1000)),
        "environment": {
            "name": "E",
            "players": 2,
            "options": {"o": draw(plain)},
            "time_limit": draw(st.none() | st.floats(0.1, 86_400)),
            "overflow": draw(st.sampled_from(["void", "truncate-oldest", "lose"])),
        },
        "matchmaker": {"name": "random", "blocks": draw(st.booleans())},
        "models": models,
        "prompts": [{"name": "p", "text": draw(text)}],
        "agents": [{"name": "A", "model": "m0", "prompt": "p", "options": {"o": draw(plain)}}],
        "concurrency": draw(st.integers(1, 10_000)),
        "attempts": draw(st.integers(1, 100)),
        "budget": draw(st.none() | amounts),
        "cache": draw(st.none() | st.fixed_dictionaries({"ttl": amounts, "rated": st.booleans()})),
        "llm": {"timeout": draw(amounts.filter(lambda seconds: seconds <= 86_400))},
    }
    return parse(data)


@settings(max_examples=50, deadline=None)
@given(tournaments())
def test_any_tournament_comes_back_from_the_database(config: TournamentConfig) -> None:
    again = restored(stored(config.canonical()), stored(config.settings()))

    assert again.config_hash == config.config_hash
    assert again.canonical() == config.canonical()
    assert again.settings() == config.settings()


def test_a_row_without_settings_gets_the_default_ones() -> None:
    config = load(find(Path("hosted")))

    again = restored(stored(config.canonical()), None)

    assert again.config_hash == config.config_hash
    assert again.concurrency == 50
    assert again.budget is None


def test_the_error_for_a_row_that_cannot_be_read_names_the_tournament() -> None:
    row = load(find(Path("quickstart"))).canonical()
    row["laws"] = 3

    with pytest.raises(ConfigError) as raised:
        restored(row, None)

    assert str(raised.value).startswith(
        "the tournament 'quickstart' in the database: unknown key 'laws'"
    )

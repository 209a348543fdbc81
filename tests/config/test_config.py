"""A tournament file says what is played; a wrong one says everything that is wrong, and where."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from arena.config import TournamentConfig, load, loads
from arena.config.restored import restored
from arena.core import ConfigError, ModelSpec

QUICK = """\
name: quick
seed: 7
environment: {name: SecretMafia-v0, players: 6, options: {discussion_rounds: 1}}
games: 60
concurrency: 20
matchmaker: {name: round-robin, blocks: true}
models:
  - {name: sharp, litellm_model: scripted/mafia-sharp, params: {temperature: 0.5}}
  - name: naive
    litellm_model: scripted/mafia-naive
    api_key_env: SOME_KEY
    input_price: 1
prompts:
  - {name: plain, file: prompts/plain.md}
  - {name: loud, text: SHOUT, forked_from: plain}
agents:
  - {name: Sharp, model: sharp, prompt: plain}
  - {name: Naive, kind: remembering, model: naive, prompt: loud, options: {notes: 3}}
llm: {timeout: 5, retries: 1}
"""

# The settings of a run, and a limit that is part of what is played.
SETTINGS = """\
budget: 25
cache: {ttl: 86400}
attempts: 2
"""


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "plain.md").write_text("Play well.\n")
    file = tmp_path / "quick.yaml"
    file.write_text(QUICK)
    return file


def wrong(text: str, folder: Path | None = None) -> list[str]:
    """What is said about a wrong file, one problem to a line, without the heading."""
    with pytest.raises(ConfigError) as raised:
        loads(text, source="t.yaml", folder=folder)
    lines = str(raised.value).splitlines()
    return [line.strip() for line in (lines[1:] or lines)]


def minimal(**changes: str) -> str:
    parts = {
        "name": "t",
        "games": "1",
        "environment": "{name: E, players: 2}",
        "agents": "[{name: A, model: m, prompt: p}]",
    } | changes
    return "".join(f"{key}: {value}\n" for key, value in parts.items())


def test_a_file_is_read_with_its_prompts(quick: Path) -> None:
    config = load(quick)

    assert config.environment.options == {"discussion_rounds": 1}
    assert config.environment.turn_limit == 200
    assert config.matchmaker.name == "round-robin"
    assert config.matchmaker.options == {"blocks": True}
    assert [prompt.content for prompt in config.prompts] == ["Play well.\n", "SHOUT"]
    assert config.agents[0].kind == "thinking"
    assert config.models[1].spec() == ModelSpec(
        name="naive", litellm_model="scripted/mafia-naive", api_key_env="SOME_KEY", input_price=1
    )
    assert config.external_models == ()
    assert config.external_prompts == ()
    assert config.unresolved() is None


def test_a_config_is_frozen_and_can_be_sent_to_another_process(quick: Path) -> None:
    config = load(quick)

    with pytest.raises(ValidationError, match="frozen"):
        config.games = 3
    copy = pickle.loads(pickle.dumps(config))

    assert copy.canonical() == config.canonical()
    assert copy.where("games") == config.where("games")


def test_the_hash_follows_what_is_played_and_not_how_fast(quick: Path) -> None:
    def hashed(old: str, new: str) -> str:
        assert old in QUICK
        quick.write_text(QUICK.replace(old, new))
        return load(quick).config_hash

    same = load(quick).config_hash
    assert hashed("concurrency: 20", "concurrency: 900") == same
    assert hashed("timeout: 5", "timeout: 50") == same
    assert hashed("seed: 7", "seed: 7 # a comment") == same
    assert hashed("seed: 7", "seed: 8") != same
    assert hashed("blocks: true", "blocks: false") != same
    assert hashed("notes: 3", "notes: 4") != same
    assert hashed("temperature: 0.5", "temperature: 0.6") != same

    quick.write_text(QUICK)
    assert "file" not in load(quick).canonical()["prompts"][0]
    (quick.parent / "prompts" / "plain.md").write_text("Play badly.\n")
    assert load(quick).config_hash != same


def test_limits_budgets_and_the_cache_are_read_and_are_no_part_of_the_tournament(
    quick: Path,
) -> None:
    plain = load(quick)
    limited = QUICK.replace(
        "mafia-sharp,",
        "mafia-sharp, budget: 2.5, limits: {concurrency: 3, tokens_per_minute: 1e5},",
    )
    quick.write_text(limited.replace("retries: 1", "retries: 1, patience: 60") + SETTINGS)
    config = load(quick)

    assert config.budget == 25
    assert config.cache is not None
    assert (config.cache.ttl, config.cache.rated) == (86_400, False)
    assert config.llm.patience == 60
    assert config.models[0].budget == 2.5
    assert config.models[0].limits.concurrency == 3
    assert config.models[0].limits.requests_per_minute is None
    assert config.models[0].spec() == plain.models[0].spec()
    assert config.config_hash == plain.config_hash
    assert config.settings() == {
        "executor": "auto",
        "concurrency": 20,
        "llm": {
            "timeout": 5.0,
            "retries": 1,
            "patience": 60.0,
            "doubt": 30.0,
            "provider": "litellm",
        },
        "attempts": 2,
        "budget": 25.0,
        "cache": {"ttl": 86400.0, "rated": False},
        "models": {
            "sharp": {
                "limits": {
                    "concurrency": 3,
                    "requests_per_minute": None,
                    "tokens_per_minute": 100_000.0,
                },
                "budget": 2.5,
                "cache": False,
            },
            "naive": {
                "limits": {
                    "concurrency": None,
                    "requests_per_minute": None,
                    "tokens_per_minute": None,
                },
                "budget": None,
                "cache": False,
            },
        },
    }


def test_the_executor_is_a_setting_and_no_part_of_the_tournament() -> None:
    here, elsewhere = loads(minimal()), loads(minimal(executor="cluster"))

    assert (here.executor, elsewhere.executor) == ("auto", "cluster")
    assert elsewhere.config_hash == here.config_hash
    assert elsewhere.settings()["executor"] == "cluster"


def test_a_tournament_from_before_there_were_time_limits_keeps_its_hash() -> None:
    text = minimal(models="[{name: m, litellm_model: x/y, input_price: 1}]")
    config = loads(text)
    limited = loads(text.replace("players: 2", "players: 2, time_limit: 30"))

    assert config.environment.time_limit is None
    assert config.config_hash.startswith("97e5a7f634d7d9abdd5ac8df")
    assert limited.environment.time_limit == 30
    assert limited.canonical()["environment"]["time_limit"] == 30.0
    assert limited.config_hash != config.config_hash


MODEL = "[{name: m, litellm_model: openrouter/a/b%s}]"


def test_how_a_model_is_asked_is_read_and_keeps_earlier_hashes() -> None:
    plain = loads(minimal(models=MODEL % ""))
    cached = loads(minimal(models=MODEL % ", cache: true"))
    spelt_out = loads(minimal(models=MODEL % ", cache: false, system: system"))
    user = loads(minimal(models=MODEL % ", system: user"))
    pinned = loads(minimal(models=MODEL % ", upstream: {order: [x, y], quantizations: [fp8]}"))

    assert cached.config_hash == plain.config_hash == spelt_out.config_hash
    assert cached.settings()["models"]["m"]["cache"] is True
    assert len({plain.config_hash, user.config_hash, pinned.config_hash}) == 3
    assert user.models[0].spec().system == "user"
    assert pinned.models[0].spec().params == {
        "extra_body": {
            "provider": {
                "order": ["x", "y"], "allow_fallbacks": False, "quantizations": ["fp8"],
            }
        }
    }  # fmt: skip
    assert restored(pinned.canonical(), pinned.settings()).config_hash == pinned.config_hash


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("openai/a, upstream: {order: [x]}", "expected 'upstream' at a model of OpenRouter's"),
        ("openrouter/a, upstream: {order: []}", "order"),
        (
            "openrouter/a, upstream: {oder: [x]}",
            "unknown key 'oder' in models[0].upstream; did you mean 'order'?",
        ),
        (
            "openrouter/a, upstream: {order: [x]}, params: {extra_body: {provider: {}}}",
            "expected either 'upstream' or 'extra_body.provider', found both",
        ),
        ("openai/a, system: none", "system"),
    ],
)
def test_a_model_that_cannot_be_asked_so_is_refused(written: str, expected: str) -> None:
    [problem] = wrong(minimal(models=f"[{{name: m, litellm_model: {written}}}]"))
    assert expected in problem


def test_an_overflow_of_void_is_what_tournaments_always_had() -> None:
    config = loads(minimal())
    void = loads(minimal().replace("players: 2", "players: 2, overflow: void"))
    lose = loads(minimal().replace("players: 2", "players: 2, overflow: lose"))

    assert void.config_hash == config.config_hash != lose.config_hash
    assert lose.canonical()["environment"]["overflow"] == "lose"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"budget": "0"}, "t.yaml:5: budget: expected a number above 0, found 0"),
        ({"budget": "-3.5"}, "t.yaml:5: budget: expected a number above 0, found -3.5"),
        ({"budget": "'5 dollars'"}, "t.yaml:5: budget: expected a number, found '5 dollars'"),
        ({"budgt": "5"}, "t.yaml:5: unknown key 'budgt'; did you mean 'budget'?"),
        ({"time_limit": "5"}, "t.yaml:5: unknown key 'time_limit'; it belongs under 'environment'"),
        ({"cache": "{}"}, "t.yaml:5: 'ttl' is missing in cache"),
        ({"cache": "{tll: 5}"}, "t.yaml:5: unknown key 'tll' in cache; did you mean 'ttl'?"),
        ({"cache": "{ttl: 0}"}, "t.yaml:5: cache.ttl: expected a number above 0, found 0"),
        ({"llm": "{patience: 0}"}, "t.yaml:5: llm.patience: expected a number above 0, found 0"),
        (
            {"environment": "{name: E, players: 2, time_limit: 0}"},
            "t.yaml:3: environment.time_limit: expected a number above 0, found 0",
        ),
        (
            {"models": "[{name: m, litellm_model: x/y, limits: {request_per_minute: 9}}]"},
            "t.yaml:5: unknown key 'request_per_minute' in models[0].limits; "
            "did you mean 'requests_per_minute'?",
        ),
        (
            {"models": "[{name: m, litellm_model: x/y, limits: {concurrency: 0}}]"},
            "t.yaml:5: models[0].limits.concurrency: expected a number from 1 up, found 0",
        ),
        (
            {"models": "[{name: m, litellm_model: x/y, budget: 0}]"},
            "t.yaml:5: models[0].budget: expected a number above 0, found 0",
        ),
    ],
)
def test_a_wrong_limit_or_budget_is_named(change: dict[str, str], expected: str) -> None:
    assert wrong(minimal(**change)) == [expected]


def test_where_says_the_line_of_a_value_or_of_what_is_around_it(quick: Path) -> None:
    config = load(quick)

    assert config.where("environment", "name") == f"{quick}:3"
    assert config.where("models", 1, "litellm_model") == f"{quick}:10"
    assert config.where("models", 1, "output_price") == f"{quick}:9"
    assert config.where("rating") == f"{quick}:1"
    assert str(config.error("unknown kind 'x'", "agents", 1, "kind")) == (
        f"{quick}:18: unknown kind 'x'"
    )


def test_names_that_the_file_does_not_define_are_left_to_the_catalogue() -> None:
    config = loads(
        minimal(
            models="[{name: strong-1, litellm_model: x/y}]",
            prompts="[{name: p2, text: hello, forked_from: p}]",
            agents="[{name: A, model: strong-2, prompt: p2}]",
        ),
        source="t.yaml",
    )

    assert config.external_models == ("strong-2",)
    assert config.external_prompts == ("p",)
    assert config.unresolved(models=["strong-2"], prompts=["p"]) is None
    error = config.unresolved(models=["other"], prompts=["q"])
    assert str(error).splitlines() == [
        "2 problems in t.yaml",
        "  t.yaml:4: agents[0].model: no model 'strong-2' in this file or in the catalogue; "
        "did you mean 'strong-1'?",
        "  t.yaml:6: prompts[0].forked_from: no prompt 'p' in this file or in the catalogue; "
        "known: q",
    ]


def test_every_problem_is_shown_at_once_with_its_line() -> None:
    text = """\
name: t
sed: 7
environment: {name: E, playrs: 6, turn_limit: many}
games: 60.5
players: 3
models:
  - {name: m, litellm_model: a/b}
  - name: m
    litellm_model: 3
    stream: 'yes'
agents:
  - {name: A, model: m, prompt: p}
  - {name: B, model: m, prompt: p, kind: thinking}
concurrency: 0
llm: 3
"""
    assert wrong(text) == [
        "t.yaml:2: unknown key 'sed'; did you mean 'seed'?",
        "t.yaml:3: environment.turn_limit: expected a whole number, found 'many'",
        "t.yaml:3: unknown key 'playrs' in environment; did you mean 'players'?",
        "t.yaml:4: games: expected a whole number, found 60.5",
        "t.yaml:5: unknown key 'players'; it belongs under 'environment'",
        "t.yaml:8: models[1].name: 'm' is already the name of models[0]",
        "t.yaml:9: models[1].litellm_model: expected text, found 3",
        "t.yaml:10: models[1].stream: expected true or false, found 'yes'",
        "t.yaml:13: agents[1] is the same agent as 'A' (agents[0]): same kind, model, prompt, "
        "options and vars; change one of them or remove the agent",
        "t.yaml:14: concurrency: expected a number from 1 up, found 0",
        "t.yaml:15: llm: expected keys and values ('key: value'), found 3",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "t.yaml: the file is empty; expected a tournament (name, games, ...)"),
        ("just words", "t.yaml:1: the file: expected keys and values ('key: value'), found 'just"),
        (minimal(agents="[]"), "t.yaml:4: agents: expected at least 1 of them, found 0"),
        (minimal(name="''"), "t.yaml:1: name: expected text that is not empty, found ''"),
        (minimal(name='"a\\e[31mb"'), "t.yaml:1: name: expected a name on one line"),
        (minimal(seed="-1"), "t.yaml:5: seed: expected a number from 0 up, found -1"),
        (minimal(games="true"), "t.yaml:2: games: expected a whole number, found true"),
        (minimal(games=""), "t.yaml:2: games: expected a whole number, found nothing"),
        (
            minimal(prompts="[{name: p}]"),
            "t.yaml:5: prompts[0]: expected either 'file' or 'text' or 'instructions', found "
            "neither",
        ),
        (
            minimal(prompts="[{name: p, text: x, file: y}]"),
            "t.yaml:5: prompts[0]: expected either 'file' or 'text' or 'instructions', found both",
        ),
        (
            minimal(prompts="[{name: p, text: x, forked_from: p}]"),
            "t.yaml:5: prompts[0].forked_from: 'p' is forked from itself",
        ),
        ("games: 1\n", "t.yaml:1: 'name' is missing"),
    ],
)
def test_one_wrong_thing_is_named(text: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in wrong(text)), wrong(text)


def test_prompts_that_are_forked_in_a_circle_are_refused() -> None:
    circle = "[{name: a, text: x, forked_from: b}, {name: b, text: x, forked_from: a}]"

    assert wrong(minimal(prompts=circle)) == [
        "t.yaml:5: prompts[0].forked_from: 'a' is forked from itself",
        "t.yaml:5: prompts[1].forked_from: 'b' is forked from itself",
    ]


@pytest.mark.parametrize(
    "model",
    [
        "{name: m, litellm_model: a/b, params: {api_key: swordfish}}",
        "{name: m, litellm_model: a/b, params: {extra_headers: {Authorization: swordfish}}}",
        "{name: m, litellm_model: a/b, api_base: 'https://me:swordfish@host/v1'}",
        "{name: m, litellm_model: a/b, api_base: 'https://host/v1?api_key=swordfish'}",
        "{name: m, litellm_model: a/b, params: {x: [sk-swordfish0123456789abcdef]}}",
        "{name: m, litellm_model: a/b, api_key_env: sk-swordfish0123456789abcdef}",
        "{name: m, litellm_model: 3, stream: sk-swordfish0123456789abcdef}",
        "{name: m, litellm_model: a/b, api_base: 'https://swordfish@host/v1'}",
        "{name: m, litellm_model: a/b, api_base: 'https://host/v1?code=swordfish&v=1'}",
        "{name: m, litellm_model: a/b, api_base: 'https://host/v1?sv=1&sig=swordfish'}",
        "{name: m, litellm_model: a/b, api_base: 'https://host/v1?x=swordfish'}",
        "{name: m, litellm_model: a/b, api_base: 'https://host/v1#swordfish'}",
        "{name: m, litellm_model: a/b, api_base: 'https://host/sk-swordfish0123456789abcd/v1'}",
        "{name: m, litellm_model: a/b, params: {aws_secret_access_key: swordfish}}",
        "{name: m, litellm_model: a/b, params: {aws_session_token: swordfish}}",
        "{name: m, litellm_model: a/b, params: {azure_ad_token: swordfish}}",
        "{name: m, litellm_model: a/b, params: {client_secret: swordfish}}",
        "{name: m, litellm_model: a/b, params: {clientSecret: swordfish}}",
        "{name: m, litellm_model: a/b, params: {vertex_credentials: {private_key: swordfish}}}",
        "{name: m, litellm_model: a/b, params: {extra_body: {auth: {user: swordfish}}}}",
        "{name: m, litellm_model: a/b, params: {db_password: swordfish}}",
    ],
)
def test_a_secret_is_refused_and_not_repeated(model: str) -> None:
    said = "\n".join(wrong(minimal(models=f"[{model}]")))

    assert "looks like a secret" in said
    assert "api_key_env" in said
    assert "swordfish" not in said


def test_tokens_that_are_no_secret_are_allowed() -> None:
    config = loads(
        minimal(models="[{name: m, litellm_model: a/b, params: {max_tokens: 5, stop: [sk-]}}]")
    )

    assert config.models[0].params == {"max_tokens": 5, "stop": ["sk-"]}
    loads(
        minimal(
            models="[{name: m, litellm_model: a/b, api_base: 'https://h/v1?api-version=2', params: "
            "{prompt_cache_key: x, eos_token: '</s>', top_logprobs: 3, "
            "thinking: {budget_tokens: 9}, "
            "extra_headers: {Authorization: Bearer $KEY}, "
            "response_format: {json_schema: {schema: {properties: {token: {type: string}}}}}}}]"
        )
    )


def test_a_header_that_is_written_out_is_refused() -> None:
    model = "{name: m, litellm_model: a/b, params: {extra_headers: {X-Title: The Arena}}}"
    (said,) = wrong(minimal(models=f"[{model}]"))
    assert "expected $VARIABLE" in said
    assert "The Arena" not in said


def test_words_that_fetch_a_secret_are_refused() -> None:
    for value in ("os.environ/HOME", "oidc/file/etc/passwd"):
        model = f"{{name: m, litellm_model: a/b, params: {{aws_role_name: {value}}}}}"
        (said,) = wrong(minimal(models=f"[{model}]"))
        assert "would have a secret read from this machine" in said


def prompt_file(name: str) -> str:
    return minimal(prompts=f"[{{name: p, file: {name!r}}}]")


def test_a_prompt_outside_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret.txt")

    for name in ("../secret.txt", "link", "../mine/../secret.txt"):
        assert wrong(prompt_file(name), folder) == [
            f"t.yaml:5: prompts[0].file: {name!r} leads out of the tournament's folder; "
            "copy the prompt beside this file"
        ]
    assert "expected a path beside this file" in wrong(prompt_file("/etc/hostname"), folder)[0]


def test_a_prompt_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "plain.md").write_text("x")
    (tmp_path / "empty.md").write_text(" \n")
    (tmp_path / "bytes.md").write_bytes(b"\xff\xfe\xff")
    (tmp_path / "folder").mkdir()

    assert wrong(prompt_file("plian.md"), tmp_path) == [
        "t.yaml:5: prompts[0].file: no such file 'plian.md'; did you mean 'plain.md'?"
    ]
    assert "'empty.md' is empty" in wrong(prompt_file("empty.md"), tmp_path)[0]
    assert "not UTF-8" in wrong(prompt_file("bytes.md"), tmp_path)[0]
    assert "not a file" in wrong(prompt_file("folder"), tmp_path)[0]


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "quick.yaml").write_text(QUICK)
    (tmp_path / "latin.yaml").write_bytes(b"name: t\n# caf\xe9\n")

    for name, said in [
        ("qiuck.yaml", "no such file; did you mean 'quick.yaml'?"),
        ("", "a folder; expected a tournament file"),
        ("latin.yaml", "latin.yaml:2: not UTF-8 text"),
    ]:
        with pytest.raises(ConfigError) as raised:
            load(tmp_path / name)
        assert said in str(raised.value)


def test_defaults_are_those_of_the_published_schema() -> None:
    config = loads(minimal())

    properties = TournamentConfig.model_json_schema()["properties"]
    for name in ("seed", "concurrency", "attempts", "rating"):
        assert properties[name]["default"] == getattr(config, name)


def test_what_is_recorded_beside_a_game_is_no_part_of_the_tournament() -> None:
    plain = loads(minimal())
    more = loads(minimal() + "record: {logprobs: true}\n")
    assert more.config_hash == plain.config_hash
    assert more.settings() == {**plain.settings(), "record": {"logprobs": True}}

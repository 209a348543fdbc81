"""Keys leave no trace in text, by value or by shape; ordinary text stays."""

from __future__ import annotations

import pytest

from arena.llm.secrets import HIDDEN, scrub


def test_a_value_that_is_given_is_taken_out_wherever_it_is() -> None:
    text = 'x-goog: pa55word! in "pa55word!" and pa55word!pa55word!'
    assert "pa55word!" not in scrub(text, ["pa55word!", None])


def test_values_of_key_like_variables_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PROVIDER_API_KEY", "plain-words-as-key")
    monkeypatch.setenv("COLOUR", "plain-words-as-colour")
    assert scrub("plain-words-as-key, plain-words-as-colour") == f"{HIDDEN}, plain-words-as-colour"


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcDEF1234567890",
        "sk-ant-api03-abcDEF_1234567890",
        "gsk_abcdef1234567890",
        "hf_abcdefghijklmnop",
        "AIzaSyA1234567890abcdefghijklmn",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
    ],
)
def test_shapes_of_keys_are_taken_out(secret: str) -> None:
    assert scrub(f"bad key {secret}, sorry") == f"bad key {HIDDEN}, sorry"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abc.def-123", f"Authorization: Bearer {HIDDEN}"),
        ('{"api_key": "0123456789"}', f'{{"api_key": "{HIDDEN}"}}'),
        ("provided: abcd****wxyz.", f"provided: {HIDDEN}."),
        ("at http://me:hunter22@host/v1", f"at http://{HIDDEN}@host/v1"),
    ],
)
def test_credentials_in_context_are_taken_out(text: str, clean: str) -> None:
    assert scrub(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Rate limit reached for gpt-4o-mini: 3 requests per minute, 200000 tokens per day",
        "max_tokens: 4096 is too large, the model has 128000 tokens of context",
        "This is not a chat model; see https://example.org/docs",
    ],
)
def test_ordinary_errors_stay_readable(text: str) -> None:
    assert scrub(text) == text

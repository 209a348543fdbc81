"""Keys leave no trace in text, by value or by shape; ordinary text stays."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.core import ModelSpec
from arena.llm.failures.classify import fault_of
from arena.llm.secrets import HIDDEN, scrub, scrubbed_traceback, secrets_of

KEY_LETTERS = st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\\")
KEY = "canaryA1b2+C3/d4=E5f6g7H8"


def test_a_value_that_is_given_is_taken_out_wherever_it_is() -> None:
    text = 'x-goog: pa55word! in "pa55word!" and pa55word!pa55word!'
    assert "pa55word!" not in scrub(text, ["pa55word!", None])


def test_values_of_key_like_variables_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PROVIDER_API_KEY", "plain-words-as-key")
    monkeypatch.setenv("COLOUR", "plain-words-as-colour")
    monkeypatch.setenv("GIT_AUTHOR_NAME", "plain-words-as-author")
    assert scrub("plain-words-as-key, plain-words-as-colour, plain-words-as-author") == (
        f"{HIDDEN}, plain-words-as-colour, plain-words-as-author"
    )


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
        ("Authorization: Basic bWU6aHVudGVyMjI=", f"Authorization: Basic {HIDDEN}"),
        ('{"api_key": "0123456789"}', f'{{"api_key": "{HIDDEN}"}}'),
        (r"{\"api_key\": \"0123456789\"}", rf"{{\"api_key\": \"{HIDDEN}\"}}"),
        ("provided: abcd****wxyz.", f"provided: {HIDDEN}."),
        ("at http://me:hunter22@host/v1", f"at http://{HIDDEN}@host/v1"),
        ("at http://hunter22@host/v1", f"at http://{HIDDEN}@host/v1"),
        ("at http://h/v1?key=ab12&x=1 today", f"at http://h/v1?key={HIDDEN}&x=1 today"),
        ("GET /v1?a=1&access_token=ab12", f"GET /v1?a=1&access_token={HIDDEN}"),
        ("http://h/?X-Amz-Signature=0aF", f"http://h/?X-Amz-Signature={HIDDEN}"),
    ],
)
def test_credentials_in_context_are_taken_out(text: str, clean: str) -> None:
    assert scrub(text) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Rate limit reached for gpt-4o-mini: 3 requests per minute, 200000 tokens per day",
        "max_tokens: 4096 is too large, the model has 128000 tokens of context",
        "This is not a chat model; see https://example.org/docs?page=2&lang=en",
        "I wait... and then? [...] **bold** words. A key is missing; the token is bad.",
        "Basic settings, bearer of news: user@example.org wrote",
    ],
)
def test_ordinary_errors_stay_readable(text: str) -> None:
    assert scrub(text, [KEY]) == text


@pytest.mark.parametrize(
    "echoed",
    [
        "canary****g7H8",
        "can***",
        "***7H8",
        "canaryA1...",
        "canar…H8",
        "cana••••••g7H8",
        "canaryA1b2",
        "canaryA1b2+C3/d4=E5",
        KEY[8:],
        KEY[-8:],
        KEY[3:-3],
    ],
)
def test_what_is_left_of_a_key_is_taken_out(echoed: str) -> None:
    assert scrub(f"bad value {echoed} given", [KEY]) == f"bad value {HIDDEN} given"


def json_unicode(text: str) -> str:
    return "".join(f"\\u{ord(char):04x}" for char in text)


WRITINGS: list[Callable[[str], str]] = [
    str,
    quote_plus,
    lambda key: quote(key, safe=""),
    lambda key: quote(key, safe="").lower() if key.islower() else quote(key),
    lambda key: "".join(f"%{byte:02x}" for byte in key.encode()),
    lambda key: json.dumps(key)[1:-1],
    lambda key: json.dumps(json.dumps(key))[3:-3],
    lambda key: json.dumps(key).replace("/", "\\/")[1:-1],
    lambda key: json_unicode(key),
    lambda key: html.escape(key),
    lambda key: key.encode().hex(),
    lambda key: key.encode().hex().upper(),
]


@settings(max_examples=200)
@given(
    # A backslash in a key could not be told from one that escapes what follows it.
    st.text(KEY_LETTERS, min_size=6, max_size=60),
    st.sampled_from(WRITINGS),
    st.sampled_from(["", "error: ", '{"sent": "', "?q="]),
    st.sampled_from(["", " was wrong", '"}', "&x"]),
)
def test_no_writing_of_a_key_stays(
    key: str, write: Callable[[str], str], before: str, after: str
) -> None:
    written = write(key)
    clean = scrub(f"{before}{written}{after}", [key])
    assert written not in clean.replace(HIDDEN, " ")
    assert key not in clean.replace(HIDDEN, " ")


@settings(max_examples=100)
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60),
    st.text("abcdef:", max_size=5),
    st.text("abcdef", max_size=5),
    st.booleans(),
)
def test_no_key_stays_in_base64(key: str, before: str, after: str, urlsafe: bool) -> None:
    encode = base64.urlsafe_b64encode if urlsafe else base64.b64encode
    clean = scrub(f"sent {encode(f'{before}{key}{after}'.encode()).decode()}", [key])
    assert HIDDEN in clean
    letters = clean.removeprefix("sent ").replace(HIDDEN, "")
    assert len(letters) <= (len(before) + len(after)) * 4 / 3 + 12


def test_the_secrets_of_a_model_are_its_key_and_what_its_address_holds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LOOPBACK_ACCESS", KEY)
    address = "http://me:hunt%2Fer22@127.0.0.1:9/v1?key=0123456789&version=2"
    model = ModelSpec("m", "openai/x", api_base=address, api_key_env="LOOPBACK_ACCESS")
    secrets = secrets_of(model)
    assert set(secrets) == {KEY, "hunt%2Fer22", "hunt/er22", "0123456789"}
    assert secrets_of(ModelSpec("m", "openai/x", api_base="http://token9@h/")) == ("token9",)
    assert secrets_of(ModelSpec("m", "openai/x", api_key_env="NOT_SET_ANYWHERE")) == ()
    clean = scrub(f"could not reach {address} with {KEY}", secrets)
    for secret in secrets:
        assert secret not in clean


def test_a_chain_of_errors_is_printed_without_keys() -> None:
    def fail() -> None:
        try:
            raise ValueError(f"header Authorization: {KEY}")
        except ValueError as error:
            raise RuntimeError(f"sending with {quote(KEY)}") from error

    with pytest.raises(RuntimeError) as caught:
        fail()
    printed = scrubbed_traceback(caught.value, [KEY])
    assert "header Authorization" in printed
    assert "sending with" in printed
    assert KEY[:6] not in printed


def test_a_fault_keeps_no_key_even_where_its_text_is_cut() -> None:
    for filling in range(1_960, 2_010):
        fault = fault_of(RuntimeError("x" * filling + KEY + "y" * 9_000), KEY)
        assert "canary" not in fault.message
        assert KEY[:4] not in repr(fault.args)

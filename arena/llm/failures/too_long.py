"""Tells a request that is too long from other refusals: by its code where there is one, by a rule
over the words of the provider where there is none.

The rule wants three things in what was said: what is too long (prompt, input, messages, ...), that
it is too long (exceeds, too large, at most, ..., or two counts of tokens and a limit), and a size
(tokens, length, window, ...). Limits of a rate and of the answer are worded with the same words, so
they are looked for first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from arena.llm.failures.kinds import FaultKind

_CODES = frozenset(
    {
        "context_length_exceeded",
        "context_window_exceeded",
        "contextwindowexceedederror",
        "exceed_context_size_error",
        "input_too_long",
        "invalid_prompt_length",
        "max_context_length_exceeded",
        "model_context_window_exceeded",
        "model_max_prompt_tokens_exceeded",
        "prompt_too_long",
        "request_too_large",
        "tokens_limit_reached",
        # Zhipu's and Cloudflare's numbers for it.
        "1261",
        "5021",
    }
)

# Where the words may be trusted: a refused key or an unknown model is not about length.
_STATUSES = frozenset({400, 409, 413, 414, 422, 429})

_RATE = re.compile(
    r"\bper[ _-]?(?:second|minute|min|hour|day|month)\b|\b[tr]p[mds]\b|rate[ _-]?limit|throttl"
    r"|too many requests|please wait|tokens?/min|daily (?:limit|quota)"
)
# Groq and OpenAI say so of one request that is larger than what a minute allows.
_ONE_REQUEST = re.compile(r"request too large|too large for (?:the )?model|requested more than")
# Anthropic, of a request that is longer than the account's plan allows.
_FOR_LONG = re.compile(r"required for (?:long|1m|large) context")
_ASKED = re.compile(
    r"limit:? ~?(?P<limit>\d+)(?:\D{1,20}used:? ~?\d+)?\D{1,40}requested:? ~?(?P<asked>\d+)"
    r"|requested:? ~?(?P<first>\d+)\D{1,40}limit(?: is| of)?:? ~?(?P<then>\d+)"
)

_MEDIA = re.compile(r"\b(?:images?|audio|videos?|documents?|files?|pdf)\b")
_OTHER = re.compile(
    r"deadline|\bheaders?\b|\bcookies?\b|\btools?\b|\bfunctions?\b|\bstop sequence|\bschema\b"
    r"|\bbalance\b|\bplan\b|\bsubscription\b"
    r"|invalid '(?!messages?\b(?!\[\d+\]\.(?!content))|prompt|input|content)"
)
_WHAT = re.compile(
    r"\b(?:prompts?|inputs?|context|conversation|messages?|history|sequence|n_ctx|max_seq_len"
    r"|max_model_len|session_len|requested tokens?|tokens? (?:in|of) (?:the |your )?request"
    r"|requested token count|number of tokens|text|request (?:body|payload|size)|payload"
    r"|(?:your|the|this) request|request:? too many tokens)\b|上下文|输入"
)
_OVER = re.compile(
    r"exceed|too (?:long|large|big|many)|(?:longer|larger|greater|more|bigger) than|overflow"
    r"|(?:only|model) supports? up to|reduce (?:the |your )?(?:length|size|number|input|prompt)"
    r"|must (?:be|have) (?:<=|<|less|fewer|at most|no (?:more|longer))|cannot fit"
    r"|do(?:es)? not fit|n't fit|while limit is|should not be more|maximum (?:prompt|context|input)"
    r"|reached context|range of (?:the )?input|expected maxlength|length: 1\.\."
    r"|over the (?:limit|maximum)|at most|beyond the|above the|超过|超出"
)
_SIZE = re.compile(
    r"tokens?\b|length|\blong\b|window|characters|bytes|max(?:imum)?[ _](?:seq|model|size)"
    r"|\bsize\b|context limit|n_ctx|max_seq_len|session_len|长度"
)

# Short enough to say it without naming all three.
_PLAINLY = re.compile(
    r"context_?(?:length|window|size)_?exceeded|exceed_?context|context overflow"
    r"|(?:token limit|(?:max(?:imum)?|total) (?:number of )?tokens|max length)"
    r" (?:was |is |has been )?exceeded|over the token limit|content (?:is )?too long"
    r"|context shift is disabled"
)
_COUNT = re.compile(r"\b\d{3,}\b")
_LIMIT = re.compile(r"\blimit|\bmax|\ballowed\b|\bonly\b|\bcontext\b|\bwindow\b")

_ANSWER = re.compile(
    r"max_(?:completion_|new_|output_)?tokens|maxoutputtokens|max_tokens_to_sample|num_predict"
    r"|completion tokens|output tokens|maximum (?:output )?tokens (?:you )?request"
)
_TOO_MUCH = re.compile(
    r"too (?:large|big|high|many)|at most|less than or equal|must be (?:<=|less|no more)|exceed"
    r"|range|maximum (?:allowed|value|number)|greater than the|> ?\d|supports?\b"
)
# What pydantic says of any parameter, and names that hold the words above.
_NOISE = re.compile(r"input should be|invalid input argument|context_window\b|input_schema")

# The names of JSON's fields say nothing: "message" is no message of the conversation.
_FIELD = re.compile(r"""(?:"[\w.-]+"|(?<=[{ ])'[\w.-]+'(?=: ['"{\d]))\s*:""")

# vLLM's way to say that the prompt leaves no room for an answer.
_NO_ROOM = re.compile(r"max_(?:completion_)?tokens must be at least 1,? got -?\d")

_ASKED_FOR = (
    re.compile(r"(\d+) (?:in|for) the completion"),
    re.compile(r"requested (\d+) output tokens"),
    re.compile(r"max_(?:completion_)?tokens'? is too large: (\d+)"),
    re.compile(r"and (\d+) `?max_new_tokens"),
    re.compile(r"\d+ \+ (\d+) >"),
    re.compile(r"\((\d+) > \d+ - \d+\)"),
)
_HOLDS = (
    re.compile(r"maximum context length is (\d+)"),
    re.compile(r"must be <= (\d+)"),
    re.compile(r"\+ \d+ > (\d+)"),
)


def length_fault(status: int, codes: Iterable[str], said: str) -> FaultKind | None:
    """CONTEXT for a conversation that is longer than the model's context, ALLOWANCE for one that is
    larger than the account's tokens of a minute, ANSWER_LIMIT for a `max_tokens` that the model
    does not give; None for a refusal of another kind.

    `said` is the beginning of what the provider wrote.
    """
    known = any(code.lower() in _CODES for code in codes)
    words = " ".join(_FIELD.sub(" ", said.lower().replace("\\", "")).replace(",", "").split())
    words = re.sub(r"(?<=\d)_(?=\d)", "", _NOISE.sub(" ", words))
    if status in (400, 403, 429) and _FOR_LONG.search(words):
        return FaultKind.ALLOWANCE
    if _RATE.search(words) and not known:
        return FaultKind.ALLOWANCE if _beyond_a_minute(status, words) else None
    if known or status in _STATUSES or status >= 500:
        return _of_words(status, known, words)
    return None


def _of_words(status: int, known: bool, words: str) -> FaultKind | None:
    if _NO_ROOM.search(words):
        return FaultKind.CONTEXT
    asked_for, holds = _first(_ASKED_FOR, words), _first(_HOLDS, words)
    if asked_for is not None and holds is not None:
        return FaultKind.CONTEXT if asked_for < holds else FaultKind.ANSWER_LIMIT
    prompt = _WHAT.search(words)
    if known or status == 413:
        return FaultKind.CONTEXT
    if prompt is None and _ANSWER.search(words) and _TOO_MUCH.search(words):
        return FaultKind.ANSWER_LIMIT
    # A rate may be worded without its minute.
    if status == 429 or _OTHER.search(words):
        return None
    if "token" not in words and _MEDIA.search(words):
        return None
    return FaultKind.CONTEXT if _PLAINLY.search(words) or _worded(prompt, words) else None


def _worded(prompt: re.Match[str] | None, words: str) -> bool:
    if prompt is None:
        return False
    counts = "token" in words and len(_COUNT.findall(words)) > 1 and _LIMIT.search(words)
    return bool(counts or (_OVER.search(words) and _SIZE.search(words)))


def _beyond_a_minute(status: int, words: str) -> bool:
    """Whether one request takes more than the account has in a minute: no wait helps it."""
    numbers = _ASKED.search(words)
    if numbers is not None:
        return int(numbers["asked"] or numbers["first"]) > int(numbers["limit"] or numbers["then"])
    return status == 413 or bool(_ONE_REQUEST.search(words))


def _first(patterns: Iterable[re.Pattern[str]], words: str) -> int | None:
    for pattern in patterns:
        found = pattern.search(words)
        if found is not None:
            return int(found[1])
    return None

"""Finds the action in what a model wrote: thoughts are dropped, an answer can be marked."""

from __future__ import annotations

import re

# How an answer is marked; the first is the default.
FORMS = ("whole", "last_line", "tag")

_THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
_CLOSING = re.compile(r"</think(?:ing)?>", re.IGNORECASE)
_TAG = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)


def without_thoughts(text: str) -> str:
    """The text without `<think>...</think>` blocks; one that is not closed runs to the end, and
    one that a chat template opened ends where it is closed."""
    if "</" not in text and "<t" not in text.lower():
        return text
    rest = _THOUGHT.sub("", text)
    *_, last = _CLOSING.split(rest)
    return last.strip() if rest != text or last is not rest else text


def action_of(text: str, form: str) -> str:
    """The action in a model's answer.

    `whole`: all of it but the thoughts. `last_line`: the last line that is not blank. `tag`: what
    the last `<answer>` holds, or all of it where there is none.
    """
    said = without_thoughts(text)
    if form == "last_line":
        lines = [line.strip() for line in said.splitlines() if line.strip()]
        return lines[-1] if lines else ""
    if form == "tag":
        marked = _TAG.findall(said)
        return str(marked[-1]).strip() if marked else said
    return said

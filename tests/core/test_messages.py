"""A message has a text, whatever its parts are."""

from __future__ import annotations

import pytest

from arena.core import Message, text_of
from arena.core.messages import ContentPart

IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/board.png"}}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("the board", "the board"),
        ([], ""),
        ([{"type": "text", "text": "the"}, IMAGE, {"type": "text", "text": "board"}], "the\nboard"),
        ([IMAGE], ""),
        ([{"type": "text", "text": None}, {"text": "no type"}], ""),
    ],
)
def test_the_text_of_a_message_is_that_of_its_parts(
    content: str | list[ContentPart], text: str
) -> None:
    message: Message = {"role": "user", "content": content}
    assert text_of(message) == text

"""Blobs, prefixes, copies and references: what goes in comes out."""

from __future__ import annotations

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from db import DatabaseError
from db.codec import (
    COMPRESSED,
    JSON,
    LONGEST_COMPRESSED,
    REFERS,
    SECOND,
    Codec,
    Known,
    answer_text,
    beyond,
    copied,
    joined,
    split_answer,
    to_json,
    uncopied,
    with_references,
    without_references,
)

texts = st.text(st.one_of(st.characters(codec=None), st.sampled_from("ab\n")), max_size=80)
# Long enough to be copied, few enough to meet again.
talk = st.lists(
    st.sampled_from(
        [
            "[Player 0] I was asleep all night, I saw nobody.\n",
            "[Player 1] Player 0 was certainly not asleep.\n",
            "[GAME] Day breaks, and somebody is dead.\n",
            "no\n",
            "\ud800 half a character, said over and over again\n",
        ]
    ),
    max_size=8,
).map("".join)


@given(text=st.one_of(texts, talk), flags=st.sampled_from([0, JSON, JSON | REFERS]))
def test_a_blob_gives_its_text_back(text: str, flags: int) -> None:
    codec = Codec()
    blob = codec.pack(text, flags)
    back, found = codec.unpack(blob)
    assert back == text
    assert found == flags
    assert len(blob) <= len(text.encode("utf-8", "surrogatepass")) + 5


def test_a_blob_of_the_first_dictionary_is_read() -> None:
    written = "672064b50000285b332e225d050012068115cc20950c002680d1d415b0811544"
    said = [
        {"role": "system", "content": "You are player 3."},
        {"role": "user", "content": {"$observation": ["", ""]}},
    ]

    assert Codec().unpack(bytes.fromhex(written)) == (to_json(said), JSON | REFERS)


def test_a_blob_of_a_dictionary_that_it_cannot_have_is_damaged() -> None:
    plain = Codec().pack("short")
    with pytest.raises(DatabaseError, match="begins as none does"):
        Codec().unpack(bytes((plain[0] | SECOND,)) + plain[1:])
    packed = Codec().pack("the same words, the same words, the same words, the same words")
    with pytest.raises(DatabaseError, match="its checksum is another"):
        Codec().unpack(bytes((packed[0] & ~SECOND,)) + packed[1:])


def test_a_damaged_blob_says_so() -> None:
    codec = Codec()
    blob = codec.pack("the same words, the same words, the same words, the same words")
    assert blob[0] & COMPRESSED
    with pytest.raises(DatabaseError, match="damaged"):
        codec.unpack(blob[:-4])


@given(text=st.one_of(texts, talk), acted=st.booleans(), data=st.data())
def test_every_bit_that_flips_is_noticed(text: str, acted: bool, data: st.DataObject) -> None:
    codec = Codec()
    beside = "[3] it is" if acted else None
    blob = bytearray(codec.pack(text, JSON, beside=beside))
    assert codec.unpack(bytes(blob), beside=beside) == (text, JSON)
    at = data.draw(st.integers(0, 8 * len(blob) - 1))
    blob[at // 8] ^= 1 << at % 8
    with pytest.raises(DatabaseError, match="damaged"):
        codec.unpack(bytes(blob), beside=beside)
    blob[at // 8] ^= 1 << at % 8
    if beside is not None:
        with pytest.raises(DatabaseError, match="damaged"):
            codec.unpack(bytes(blob), beside="[2] it is")


def test_a_blob_without_a_checksum_is_read_as_before() -> None:
    codec = Codec()
    assert codec.unpack(b"\x02[1]") == ("[1]", JSON)
    whole = codec.pack("the same words, the same words, the same words, the same words", JSON)
    earlier = bytes((whole[0] & 31,)) + whole[1:-4]
    assert codec.unpack(earlier) == codec.unpack(whole)
    for blob in (b"", b"\x80", b"\x20[1]", b"\x60", b"\x00\xff"):
        with pytest.raises(DatabaseError, match="damaged"):
            codec.unpack(blob)


def test_what_would_take_all_memory_is_not_unpacked() -> None:
    codec = Codec()
    long = "a" * (LONGEST_COMPRESSED + 1)
    stored = codec.pack(long)
    assert not stored[0] & COMPRESSED
    assert codec.unpack(stored) == (long, 0)
    for size in (True, False):
        parameters = zstandard.ZstdCompressionParameters.from_level(
            1, write_content_size=size, format=zstandard.FORMAT_ZSTD1_MAGICLESS
        )
        made = zstandard.ZstdCompressor(compression_params=parameters)
        frame = made.compressobj(len(long) if size else -1)
        bomb = bytes((COMPRESSED,)) + frame.compress(long.encode()) + frame.flush()
        assert len(bomb) < 10_000
        with pytest.raises(DatabaseError, match="longer than 32 MiB"):
            codec.unpack(bomb)
    with pytest.raises(DatabaseError, match="copies more"):
        uncopied("a" * 2**20, " ".join(["0 1048576 0"] * 40) + "\n")


@given(pieces=st.lists(st.one_of(texts, talk), max_size=6))
def test_texts_that_grow_are_stored_by_what_is_new(pieces: list[str]) -> None:
    known: Known | None = None
    before, whole = None, ""
    for piece in pieces:
        whole += piece
        prefix_len, prefix_hash, tail, known = beyond(known, whole)
        assert joined(before, prefix_len, prefix_hash, tail) == whole
        if before is not None and len(before) >= 32:
            assert tail == piece
        before = whole


@given(texts=st.lists(st.one_of(texts, talk), min_size=2, max_size=5))
def test_texts_that_change_are_stored_from_where_they_do(texts: list[str]) -> None:
    known: Known | None = None
    before = None
    for text in texts:
        prefix_len, prefix_hash, tail, known = beyond(known, text)
        assert joined(before, prefix_len, prefix_hash, tail) == text
        before = text


def test_a_broken_chain_is_not_read_as_something_else() -> None:
    base = "what was said in the beginning, long enough"
    _, _, _, known = beyond(None, base)
    prefix_len, prefix_hash, tail, _ = beyond(known, base + " and more")
    with pytest.raises(DatabaseError, match="rows are missing"):
        joined(base.upper(), prefix_len, prefix_hash, tail)
    with pytest.raises(DatabaseError, match="rows are missing"):
        joined(None, prefix_len, prefix_hash, tail)


@given(source=talk, action=st.one_of(st.just(""), talk), text=st.one_of(talk, texts))
def test_copies_give_the_text_back(source: str, action: str, text: str) -> None:
    left = copied(source, action, text)
    if left is not None:
        assert uncopied(source + action, left) == text


def test_what_everybody_heard_is_stored_once() -> None:
    heard = "[Player 1] I think that it was Player 2 who did it.\n" * 3
    said = "Let us vote for Player 2 before the night."
    left = copied("You are Player 1.\n" + heard, said, heard + "[Player 1] " + said)
    assert left is not None
    assert len(left) < 60
    with pytest.raises(DatabaseError, match="rows are missing"):
        uncopied("You are", left)


@given(before=texts, after=texts, observation=st.one_of(texts, talk), system=st.one_of(texts, talk))
def test_messages_refer_to_the_observation(
    before: str, after: str, observation: str, system: str
) -> None:
    messages = [
        {"role": "system", "content": system},
        {"role": "user", "content": before + observation + after},
    ]
    short, flags = with_references(messages, observation)
    assert bool(flags & REFERS) == (len(observation) >= 32)
    assert (without_references(short, observation) if flags & REFERS else short) == messages


@given(before=texts, observation=texts, url=texts)
def test_a_content_of_parts_stays_and_the_texts_beside_it_refer(
    before: str, observation: str, url: str
) -> None:
    observation = observation * 3
    parts = [
        {"type": "text", "text": observation},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    messages = [
        {"role": "user", "content": before + observation},
        {"role": "user", "content": parts},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]},
        {"role": "tool", "content": observation, "tool_call_id": "c1"},
    ]
    short, flags = with_references(messages, observation)
    assert bool(flags & REFERS) == (len(observation) >= 32)
    assert short[1:3] == messages[1:3]
    assert (without_references(short, observation) if flags & REFERS else short) == messages


def test_messages_that_look_like_references_are_left_alone() -> None:
    observation = "everything that this player has seen so far"
    messages = [
        {"role": "user", "content": {"$observation": ["", ""]}},
        {"role": "user", "content": observation},
    ]
    assert with_references(messages, observation) == (messages, JSON)
    assert with_references(["not", "messages"], observation) == (["not", "messages"], JSON)


@given(said=st.one_of(st.none(), texts), also=texts)
def test_an_answer_is_stored_once(said: str | None, also: str) -> None:
    response = {"id": also, "choices": [{"content": said}, {"content": said}]}
    assert split_answer(answer_text(said, response), None) == (said, response)
    if said is not None:
        assert split_answer(answer_text(said, response, acted=True), said) == (said, response)


def test_what_json_has_no_word_for() -> None:
    assert to_json({"a": {3}, "b": ..., "c": (1, 2)}) == '{"a":[3],"b":"...","c":[1,2]}'
    assert to_json("é") == '"é"'
    assert to_json(1.5) == "1.5"
    assert to_json(None) == "null"

"""The embedding model `scripted/words`: a text as counts of its words and of their pieces, hashed.

It knows nothing of meaning: texts that share words, or parts of words, are near each other. It
needs no provider, costs nothing and gives the same vector everywhere.
"""

from __future__ import annotations

import math
import re
from hashlib import blake2b

NAME = "scripted/words"
DIMENSIONS = 256
_LONGEST = 4_000  # characters of a text
_WORD = re.compile(r"\w+")
_PIECE = 4  # letters


def words_vector(text: str) -> list[float]:
    """A vector of length 1, or of zeros for a text without a word: each word counts once, each
    piece of four letters a third."""
    found: dict[str, float] = {}
    for word in _WORD.findall(text[:_LONGEST].casefold()):
        found[word] = 1.0
        for at in range(len(word) - _PIECE):
            found.setdefault(f" {word[at : at + _PIECE]}", 1.0 / 3.0)
    vector = [0.0] * DIMENSIONS
    for each, weight in found.items():
        number = int.from_bytes(blake2b(each.encode("utf-8", "replace"), digest_size=4).digest())
        vector[number % DIMENSIONS] += weight if number >> 31 else -weight
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector] if length else vector

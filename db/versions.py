"""Names of versions: `anna` is the first, `anna@2` the second. Where games are chosen `anna@1` is
the first one too, and `anna@*` means all of them."""

from __future__ import annotations

import re
from typing import NamedTuple

_VERSION = re.compile(r"(.+)@([2-9]|[1-9][0-9]{1,8})", re.DOTALL)
FIRST, EVERY = "@1", "@*"


class VersionedName(NamedTuple):
    """The name that versions share, and the number of one of them, from 1."""

    name: str
    version: int

    @property
    def label(self) -> str:
        """The name that the version has in the catalogue, in tables and in exports."""
        return self.name if self.version == 1 else f"{self.name}@{self.version}"


def versioned(label: str) -> VersionedName:
    """The parts of a label; a name without a number is the first version."""
    found = _VERSION.fullmatch(label)
    return VersionedName(found[1], int(found[2])) if found else VersionedName(label, 1)

"""Which pages a static copy holds, and in which file each is."""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from arena.viewer.links import path_of

INDEX = "index.html"
ASSETS = "assets"
_WHERE = frozenset({"environment", "tournament"})
_ASKED = frozenset({"role", "team", "by", "system", "errors"})
"""What a board can be asked, one at a time."""
_LISTS: Mapping[str, frozenset[str]] = {
    "games": frozenset({"before", "tournament"}),
    "head-to-head": frozenset({"environment", "tournament"}),
    **dict.fromkeys(("tournaments", "agents", "prompts", "models"), frozenset({"before", "after"})),
    **dict.fromkeys(("t", "agent", "prompt", "model", "cost", "insights"), frozenset()),
}
_PAIRS = 400
"""Pages of two agents that a copy holds at most."""
_PLAIN = re.compile(r"[a-z0-9]{1,40}")


@dataclass(frozen=True, slots=True)
class CopyRequest:
    """What a copy is asked to hold: of which `games`, where the `where` of the one filter chose
    them, with the calls of each turn (`calls`).
    """

    games: Collection[int]
    where: Mapping[str, str] = field(default_factory=dict)
    calls: bool = False


class CopyPlan:
    """Gives each page that the copy holds a file of its own, and remembers which are still to be
    drawn. Without a filter it holds every noun; with one, what the filter chose and nothing of
    other games."""

    def __init__(self, request: CopyRequest) -> None:
        self._request = request
        self._files: dict[str, str] = {}
        self._taken: dict[str, str] = {}
        self._pairs = 0
        self.waiting: deque[str] = deque()
        board = set(request.where) <= _WHERE | {"since", "until"}
        self.home = path_of("" if board else "games", **request.where)

    def file(self, path: str) -> str | None:
        """The file of a page by its path and query, None for one that the copy leaves out."""
        split = urlsplit(path)
        parts = tuple(unquote(part) for part in split.path.strip("/").split("/") if part)
        query = dict(parse_qsl(split.query))
        if not parts and not query:
            path, query = self.home, dict(self._request.where)
            parts = ("games",) if path.startswith("/games") else ()
        known = path_of(*parts, **dict(sorted(query.items())))
        if known in self._files:
            return self._files[known]
        if not self._holds(parts, query):
            return None
        name = INDEX if not self._files else self._name(parts, query, known)
        self._files[known] = name
        self.waiting.append(known)
        return name

    def _holds(self, parts: tuple[str, ...], query: Mapping[str, str]) -> bool:
        where = self._request.where
        if parts and parts[0] == "game":
            return self._holds_game(parts[1:], query)
        if where.items() - query.items():
            return parts == ("t", where.get("tournament")) and not query
        more = query.keys() - where.keys()
        if not parts:
            # Beside a filter, other tournaments and environments are others' games.
            return more <= (_ASKED if where else _ASKED | _WHERE) and len(more) <= 1
        if where:
            return parts == ("games",) and more <= {"before"}
        if parts[0] == "compare" and len(parts) == 3 and not query:
            self._pairs += 1
            return self._pairs <= _PAIRS
        return parts[0] in _LISTS and more <= _LISTS[parts[0]] and len(more) <= 1

    def _holds_game(self, parts: tuple[str, ...], query: Mapping[str, str]) -> bool:
        request = self._request
        numbers = [part for part in parts if part.isdigit()]
        if any(int(part) not in request.games for part in numbers[::2][:1]):
            return False
        seen = query.keys() <= {"as", "part"}
        match parts:
            case (_,):
                return seen
            case (_, "turn", _):
                return request.calls and seen
            case (_, "against", other):
                return not query and other.isdigit() and int(other) in request.games
        return False

    def _name(self, parts: tuple[str, ...], query: Mapping[str, str], known: str) -> str:
        words = [*(parts or ("board",)), *(w for pair in sorted(query.items()) for w in pair)]
        plain = "-".join(_plain(word) for word in words)
        name = plain if self._taken.setdefault(plain, known) == known else f"{plain}-{_sum(known)}"
        return f"{name}.html"


def _plain(word: str) -> str:
    """A word as any file system can hold it, and another one for every other word."""
    if _PLAIN.fullmatch(word) or word in ("head-to-head",):
        return word
    kept = re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")[:40]
    return f"{kept}-{_sum(word)}" if kept else _sum(word)


def _sum(text: str) -> str:
    return f"{zlib.crc32(text.encode('utf-8', 'surrogatepass')):08x}"


class StaticLinks:
    """The addresses of a static copy: files beside each other."""

    about: str
    policy: str

    def __init__(self, plan: CopyPlan, policy: str, about: str) -> None:
        self._plan = plan
        self.policy = policy
        self.about = about

    def address(self, path: str) -> str | None:
        """The file of a page, None where the copy has none."""
        return self._plan.file(path)

    def asset(self, name: str) -> str:
        """In the folder of assets."""
        return f"{ASSETS}/{name}"

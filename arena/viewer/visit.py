"""A page that is asked for: what its address says, and what it is made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment
from starlette.responses import Response

from arena.core import UsageError
from arena.viewer.access import Visitor
from arena.viewer.boards import BoardWorker, Computed, computed
from arena.viewer.links import Links, attributes
from arena.viewer.templating import page
from arena.viewer.watching import Topic, Watched, watched
from db import Session

_LARGEST = 2**31 - 1


class NotThere(UsageError):
    """A page is asked for that there is none of."""


class NotAllowed(UsageError):
    """What is asked for is there, for people with another role."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One page that is asked for.

    `path` holds the named parts of its address, `query` what stands behind the question mark.
    `worker` computes boards that nobody has stored; a static copy has none, and nobody to wait.
    `form` is what was sent to be written, `cookies` what the browser keeps for the pages. `visitor`
    is the person who has logged in, None where nobody has to.
    """

    session: Session
    templates: Environment
    links: Links
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    worker: BoardWorker | None = None
    form: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    visitor: Visitor | None = None
    # Counted before anything is read: an answer that is there a moment later moves the page.
    _computed: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        if self.worker is not None:
            object.__setattr__(self, "_computed", self.worker.ended)

    @property
    def live(self) -> bool:
        """Whether a server answers, so that pages can change and forms can be sent."""
        return self.worker is not None

    def draw(self, template: str, status: int = 200, **values: Any) -> Response:
        """A template as the answer."""
        known = attributes(self.links) | {"live": self.live, "watched": None}
        return page(self.templates, template, status, **known | values)

    def watching(self, noun: str, number: int = 0, *, moving: bool | None = None) -> Watched | None:
        """What the page watches (`arena.viewer.watching`), for `draw` as `watched`: its parts that
        are marked `data-live` are drawn again when that moves. A static copy watches nothing."""
        if self.worker is None:
            return None
        topic = Topic(noun, number)
        return watched(self.session, topic, moving=moving, computed=self._computed)

    def computed(self, key: str, state: str, compute: Callable[[Session], Any]) -> Computed:
        """What takes longer than a page may: computed by the worker and kept by its `key` for as
        long as the `state` that it rests on is the same; at once in a static copy."""
        if self.worker is None:
            return computed(self.session, compute)
        return self.worker.computed(key, state, compute)

    def asked(self, *names: str) -> dict[str, str]:
        """Those of the names that the query gives a value."""
        return {name: given for name in names if (given := self.query.get(name, "").strip())}

    def number(self, name: str) -> int:
        """A number in the path. Raises NotThere for what is none."""
        return number(self.path[name], f"a {name}")


Handler = Callable[[Visit], Response]


def number(given: str, what: str) -> int:
    """A number of an address. Raises NotThere for one that nothing can have."""
    if not (given.isascii() and given.isdigit()) or len(given) > 10 or int(given) > _LARGEST:
        expected = f"expected a whole number up to {_LARGEST:,}"
        raise NotThere(f"{given[:40]!r} is not the number of {what}: {expected}")
    return int(given)

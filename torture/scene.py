"""One tournament on one database against one server: played, disturbed, resumed, judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torture.commands import Command, Commands, Ended
from torture.databases import LABELS, Kind, ask
from torture.facts import read_census, read_facts
from torture.harness import Harness, first_request, wait_for
from torture.rows import Row
from torture.service import Books, Service
from torture.tournaments import write
from torture.verdict import Undisturbed, Verdict, judge


@dataclass(frozen=True, slots=True)
class GoneOn:
    """A run that was resumed to its end. `seconds` from the command to the first request
    that was new; None where none was needed."""

    ended: Ended
    seconds: float | None


class Scene:
    """A tournament of its own, named `part-name-kind`, which is also its lane in the books.

    `url` is its database as the commands are told of it, a fresh one when none is given;
    `readable` gives the URL by which this process reads it, where that is another one.
    """

    def __init__(
        self,
        harness: Harness,
        service: Service,
        part: str,
        name: str,
        kind: Kind = "sqlite",
        *,
        url: str | None = None,
        commands: Commands | None = None,
        readable: Callable[[], str] | None = None,
        mode: str = "plain",
        **settings: Any,
    ) -> None:
        self.harness = harness
        self.service = service
        self.part = part
        self.kind = kind
        self.commands = commands or harness.commands
        self.lane = f"{part}-{name.replace(' ', '-')}-{kind}".lower()
        self.url = url or harness.databases.fresh(kind, self.lane)
        self.readable = readable or (lambda: self.url)
        api_base = service.url(self.lane, mode)
        self.config = write(harness.folder / "files", self.lane, api_base, **settings)

    @property
    def label(self) -> str:
        return LABELS[self.kind]

    def start(self, *more: str, **options: Any) -> Command:
        """Type `arena run`."""
        return self.commands.start("run", self.config, "--db", self.url, *more, **options)

    def start_and_wait(self, requests: int, *more: str, **options: Any) -> Command:
        """Type `arena run` and wait until that many further requests have come in."""
        asked = len(self.books().requests)
        command = self.start(*more, **options)
        self.wait_for_requests(asked + requests, command)
        return command

    def wait_for_requests(self, count: int, command: Command) -> None:
        """Wait until the lane has that many requests. Raises RuntimeError when it never does."""

        def there() -> bool:
            return len(self.books().requests) >= count or not command.running()

        if not wait_for(there, 120, pause=0.02) or not command.running():
            ended = command.wait(5)
            raise RuntimeError(
                f"{self.lane}: the run ended with {ended.code} before it had made {count} "
                f"requests: {ended.last_words}"
            )

    def go_on(self, *more: str, **options: Any) -> GoneOn:
        """Type `arena run` and wait for its end."""
        command = self.start(*more, **options)
        first = first_request(self.service, command)
        return GoneOn(command.wait(), None if first is None else first - command.started)

    def books(self) -> Books:
        return self.service.books(self.lane)

    def count(self, *statuses: str) -> int:
        """How many games have one of these statuses."""
        listed = ", ".join(f"'{status}'" for status in statuses)
        counted = f"SELECT COUNT(*) FROM games WHERE status IN ({listed})"
        return int(ask(self.readable(), counted)[0][0])

    def verdict(self, alone: Undisturbed) -> Verdict:
        """The verdict on the finished tournament."""
        self.harness.databases.settle(self.url)
        url = self.readable()
        return judge(
            alone,
            read_facts(url, self.lane),
            read_census(url, self.lane),
            self.books(),
        )

    def row_of(self, what: str, alone: Undisturbed, last: GoneOn) -> Row:
        """What the tournament came to in the end: everything that is not as it would be if
        it had not been disturbed, and how long it took to resume it."""
        verdict = self.verdict(alone)
        lost = verdict.lost + verdict.unknown
        doubled = verdict.doubled + verdict.rated_twice + verdict.repaid
        parts = [f"lost {lost}", f"doubled {doubled}", f"different {verdict.different}"]
        parts += [verdict.where] if verdict.where else []
        parts += [f"resumed after {last.seconds:.2f} s"] if last.seconds is not None else []
        if last.ended.code:
            parts.append(f"not finished: {last.ended.code} {last.ended.last_words}")
        return Row(
            self.part,
            f"{self.label}, {what}: rows lost, doubled or different in the end",
            lost + doubled + verdict.different + (last.ended.code != 0),
            promised=0,
            note=", ".join(parts),
        )

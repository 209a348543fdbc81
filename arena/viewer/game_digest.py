"""A game in a few sentences: who said what was not true and what followed, and what turned it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from arena.viewer.game_tables import SeenSeats, largest_team
from arena.viewer.phases import GamePhase
from arena.viewer.seen import SeenEvent, SeenGame, SeenSeat

_MOST = 3  # moments that are told

CAUSES: Mapping[str, str] = {
    "vote": "voted out",
    "night": "killed",
    "error": "thrown out for an error",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """What a player said of itself or of a `subject`, in which turns; `untrue` is None where the
    truth is not seen. `against` says that it calls the subject a member of a team that is not the
    player's own."""

    player: SeenSeat
    subject: SeenSeat
    what: str
    turns: tuple[int, ...]
    untrue: bool | None
    against: bool = False

    @property
    def of_itself(self) -> bool:
        """Whether the player spoke of itself."""
        return self.player.index == self.subject.index


@dataclass(frozen=True, slots=True)
class Followed:
    """What came of an untrue claim: of the `asked` votes of others, cast after it in `label`, so
    many went to its subject, who was then `out`, or not."""

    label: str
    votes: int
    asked: int
    out: bool


@dataclass(frozen=True, slots=True)
class Liar:
    """A player that said what was not true, each claim with what followed; `hearers` are who heard
    the first of it, None for everybody."""

    player: SeenSeat
    claims: tuple[tuple[Claim, tuple[Followed, ...]], ...]
    hearers: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class Pointed:
    """A player that accused another in some turns."""

    player: SeenSeat
    target: SeenSeat
    turns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """What changed the chance of `team` from `before` to `after`, both from 0 to 1 and None where
    nobody tells chances: who was put `out` and how, by the votes of `voters` out of `cast`, which
    as many had as those who were `tied`, after the untrue claims of `called`; or who was `saved`.
    `sure` says that the intervals lie apart."""

    label: str
    place: int
    team: str | None
    before: float | None
    after: float | None
    sure: bool
    out: tuple[tuple[SeenSeat, str], ...] = ()
    saved: tuple[SeenSeat, ...] = ()
    voters: tuple[SeenSeat, ...] = ()
    cast: int = 0
    called: tuple[Claim, ...] = ()
    tied: tuple[SeenSeat, ...] = ()

    @property
    def points(self) -> int | None:
        """The change in points of a percent."""
        if self.before is None or self.after is None:
            return None
        return round(100 * self.after) - round(100 * self.before)


def claims(game: SeenGame, seats: SeenSeats) -> Iterator[Claim]:
    """The claims of a game, each once with all the turns in which it was made."""
    found: dict[tuple[int, int, str], list[int]] = {}
    truths: dict[tuple[int, int, str], tuple[bool | None, bool]] = {}
    for event in game.events:
        if event.kind != "claim" or event.place is None or event.source not in seats:
            continue
        seat = seats.get(event.source if event.target is None else event.target)
        named = event.data.get("role") or event.data.get("team")
        if seat is None or named is None:
            continue
        source = seats[event.source]
        denies = bool(event.data.get("denies"))
        known = seat.role if event.data.get("role") else seat.team
        untrue = None if known is None else (known == named) == denies
        key = (source.index, seat.index, f"{'not ' if denies else ''}{named}")
        found.setdefault(key, []).append(event.place)
        truths[key] = untrue, not denies and seat is not source and _hostile(str(named), game, seat)
    for key, places in found.items():
        player, subject, what = key
        untrue, against = truths[key]
        turns = tuple(dict.fromkeys(places))
        yield Claim(seats[player], seats[subject], what, turns, untrue, against)


def liars(
    game: SeenGame, seats: SeenSeats, told: Sequence[Claim], phases: Sequence[GamePhase]
) -> Iterator[Liar]:
    """Who said what was not true, the most often first."""
    of: dict[int, list[Claim]] = {}
    for claim in told:
        if claim.untrue:
            of.setdefault(claim.player.index, []).append(claim)
    ranked = sorted(of.items(), key=lambda item: -sum(len(claim.turns) for claim in item[1]))
    for index, own in ranked:
        first = min(place for claim in own for place in claim.turns)
        followed = [
            (claim, tuple(_followed(game, claim, phases)) if claim.against else ()) for claim in own
        ]
        yield Liar(seats[index], tuple(followed), game.turns[first].audience)


def pointed(game: SeenGame, seats: SeenSeats) -> tuple[Pointed, ...]:
    """Whom those accused who knew better: the players of all teams but the largest, which is told
    nothing, against others than their own; the most often first."""
    uninformed = largest_team(game)
    turns: dict[tuple[int, int], list[int]] = {}
    for event in game.events:
        source, target = seats.get(event.source), seats.get(event.target)
        if event.kind != "accusation" or source is None or target is None or event.place is None:
            continue
        if uninformed is None or source.team in (None, uninformed) or target.team != uninformed:
            continue
        turns.setdefault((source.index, target.index), []).append(event.place)
    ranked = sorted(turns.items(), key=lambda item: -len(item[1]))
    return tuple(
        Pointed(seats[source], seats[target], tuple(dict.fromkeys(places)))
        for (source, target), places in ranked[:_MOST]
    )


def moments(
    game: SeenGame, seats: SeenSeats, told: Sequence[Claim], phases: Sequence[GamePhase]
) -> tuple[TurningPoint, ...]:
    """What turned a game: where the chance moved the most and surely, the largest first; where
    nobody tells chances, the last time that somebody was put out."""
    found = []
    before = None
    start = -1
    for place, chance in game.chances:
        if before is not None and place is not None:
            own = [e for e in game.events if e.place is not None and start < e.place <= place]
            moved = (chance.team, before, chance.chance)
            found.append(_moment(own, seats, told, phases[place], place, moved, sure=chance.turned))
        before, start = chance.chance, -1 if place is None else place
    sure = sorted(
        (moment for moment in found if moment.sure), key=lambda moment: -abs(moment.points or 0)
    )
    if found:
        return tuple(sure[:_MOST])
    last = next((e for e in reversed(game.events) if e.kind == "eliminate"), None)
    if last is None or last.place is None or not game.eyes.everything:
        return ()
    label = phases[last.place].label
    own = [e for e in game.events if e.place is not None and phases[e.place].label == label]
    nothing = (None, None, None)
    return (_moment(own, seats, told, phases[last.place], last.place, nothing, sure=False),)


def _moment(
    own: Sequence[SeenEvent],
    seats: SeenSeats,
    told: Sequence[Claim],
    phase: GamePhase,
    place: int,
    chance: tuple[str | None, float | None, float | None],
    *,
    sure: bool,
) -> TurningPoint:
    team, before, after = chance
    gone = [event for event in own if event.kind == "eliminate" and event.target in seats]
    targets = {event.target for event in gone}
    votes = [event for event in own if event.kind == "vote"]
    by_vote = [event for event in votes if event.target in targets and event.source in seats]
    counts = Counter(event.target for event in votes)
    most = max((counts[target] for target in targets), default=0)
    tied = [
        seats[target]
        for target, count in counts.items()
        if by_vote and count == most and target in seats and target not in targets
    ]
    called = [
        claim
        for claim in told
        if claim.untrue and claim.against and claim.subject.index in targets
        if claim.turns[0] <= place
    ]
    return TurningPoint(
        phase.label,
        place,
        team,
        before,
        after,
        sure,
        tuple((seats[event.target], cause_of(event)) for event in gone),
        tuple(seats[e.target] for e in own if e.kind == "saved" and e.target in seats),
        tuple(seats[event.source] for event in by_vote),
        len(votes),
        tuple(called),
        tuple(tied),
    )


def cause_of(event: SeenEvent) -> str:
    """How somebody was put out."""
    cause = str(event.data.get("cause", "out"))
    return CAUSES.get(cause, cause)


def _hostile(named: str, game: SeenGame, subject: SeenSeat) -> bool:
    """Whether a role or team that somebody is called, and is not, is another team's than its
    own."""
    teams = {seat.team for seat in game.seats if named in (seat.role, seat.team)}
    return bool(teams) and subject.team not in teams


def _followed(game: SeenGame, claim: Claim, phases: Sequence[GamePhase]) -> Iterator[Followed]:
    """The votes of others in the days of a claim, after it."""
    days = {phases[place].day: place for place in reversed(claim.turns)}
    cast: dict[str, list[SeenEvent]] = {}
    for event in game.events:
        if event.kind != "vote" or event.place is None or event.source == claim.player.index:
            continue
        phase = phases[event.place]
        if event.source == claim.subject.index or event.place < days.get(
            phase.day, event.place + 1
        ):
            continue
        cast.setdefault(phase.label, []).append(event)
    for label, votes in cast.items():
        yield Followed(
            label,
            sum(event.target == claim.subject.index for event in votes),
            len(votes),
            any(
                event.kind == "eliminate"
                and event.target == claim.subject.index
                and event.place is not None
                and phases[event.place].label == label
                for event in game.events
            ),
        )

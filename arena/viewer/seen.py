"""A game as somebody may see it: the one filter of what is hidden.

Pages of a game are drawn from a `SeenGame` and from nothing else, so that what this module leaves
out cannot be in one, neither as a text nor as an attribute, a colour, a length or a number. Seen by
a player it holds what that player was shown up to its last turn: its own role, the events and the
words whose audience it was in, and other players without names. Seen by the public it holds what
everybody was shown, and agents' names unless it is blind, but no roles. Numbers of turns are
counted anew in both, because a gap in them tells that somebody acted unseen.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from arena.core import audience_of
from arena.reports.calls import CallReport
from arena.reports.chances import TurnChance
from arena.reports.game import GameReport, TurnReport
from arena.reports.narration import Announcement, Moved, Shown, tell_story
from db.writer.events import EventRow

# Of an event's data, what its audience was told with it. The rest is what the rules know.
_TOLD: Mapping[str, frozenset[str]] = {
    "investigate": frozenset({"found"}),
    "eliminate": frozenset({"cause"}),
    "claim": frozenset({"role", "team", "denies"}),
    "bid": frozenset({"amount", "item", "face"}),
    "bet": frozenset({"amount", "how", "pot"}),
    "call": frozenset({"amount", "pot"}),
    "deal": frozenset({"cards"}),
    "decision": frozenset({"choice"}),
    "allocate": frozenset({"units"}),
    "offer": frozenset({"gives", "wants", "amount", "terms"}),
    "trade": frozenset({"gives", "gets"}),
    "guess": frozenset({"guess"}),
    "payoff": frozenset({"amount", "total"}),
    "pot": frozenset({"amount"}),
    "move": frozenset({"move"}),
    "briefing": frozenset({"private", "counts"}),
    "open_value": frozenset({"value", "takes", "how"}),
    "scene_start": frozenset({"scene", "number", "of", "goal", "speaks", "timeout_turns"}),
    "statement": frozenset({"value", "stated"}),
    "settled": frozenset({"value", "stated", "how"}),
    # The word of a clue is what the others must guess.
    "clue": frozenset({"count"}),
}
# What a page of a view draws. All others, such as changes of the rules' own state, are not asked.
_HIDDEN_KINDS = frozenset({"result", "change", "saved", "belief", "role_belief", "refused"})

# The type of a message that a narrator says.
_NARRATOR = "Narrator"


@dataclass(frozen=True, slots=True)
class Eyes:
    """Who looks at a game: a `player`, the `public`, or, with neither, somebody who may see
    everything. The public can be `blind` to who plays, too, as annotators are by default."""

    player: int | None = None
    public: bool = False
    blind: bool = False

    @property
    def everything(self) -> bool:
        """Whether nothing is hidden."""
        return self.player is None and not self.public

    @property
    def query(self) -> dict[str, int]:
        """As it stands in an address, empty for everything."""
        if self.player is not None:
            return {"as": self.player}
        if self.blind:
            return {"blind": 1}
        return {"hidden": 1} if self.public else {}

    @property
    def named(self) -> bool:
        """Whether agents' names are seen, where they are not one's own."""
        return self.player is None and not self.blind


@dataclass(frozen=True, slots=True)
class SeenSeat:
    """A player: what is not seen is None, and `name` then is its place."""

    index: int
    name: str
    role: str | None = None
    team: str | None = None
    outcome: str | None = None
    agent: str | None = None


@dataclass(frozen=True, slots=True)
class SeenTurn:
    """A turn at its `place` among those that are seen; `number` is what it is called in a page.
    `words` is what its player did, None where only that it acted was seen; `new`, the calls and
    what they took only of turns that are the viewer's own. `before` are announcements ahead of it.
    """

    place: int
    number: int
    player: int
    words: str | None = None
    before: tuple[str, ...] = ()
    audience: tuple[int, ...] | None = None
    own: TurnReport | None = None


@dataclass(frozen=True, slots=True)
class SeenEvent:
    """An event with the place of its turn, None ahead of the first; where that turn is not seen, of
    the one that it is `ahead` of."""

    place: int | None
    kind: str
    source: int | None
    target: int | None
    day: int | None
    phase: str | None
    data: Mapping[str, Any] = field(default_factory=dict)
    ahead: bool = False


@dataclass(frozen=True, slots=True)
class SeenGame:
    """What may be seen of a game. `winner`, `reason` and `cost` are None where they may not;
    `changes` are those of the rules' own state, for whoever may see everything; `reader` read its
    claims, None for the rules; `narrated` are those of the announcements that a narrator says."""

    number: int
    eyes: Eyes
    environment: str | None
    status: str
    seats: tuple[SeenSeat, ...]
    turns: tuple[SeenTurn, ...]
    events: tuple[SeenEvent, ...] = ()
    changes: tuple[SeenEvent, ...] = ()
    chances: tuple[tuple[int | None, TurnChance], ...] = ()
    tournament: str | None = None
    seed: int | None = None
    winner: str | None = None
    drawn: bool = False
    winning_team: str | None = None
    reason: str | None = None
    error: str | None = None
    void_cause: str | None = None
    cost: float | None = None
    calls: int = 0
    parent: tuple[int, int] | None = None
    reader: str | None = None
    narrated: frozenset[str] = frozenset()


def seen(
    report: GameReport, events: Sequence[EventRow], chances: Sequence[TurnChance], eyes: Eyes
) -> SeenGame:
    """The game as these eyes see it."""
    indices = [player.index for player in report.players]
    visible = _visible(report, events, eyes)
    numbers = {*numbers_of(report, events, eyes)}
    heard = {event.turn: event.audience for event in visible if _says_the_action(event)}
    before = _announced(report, visible, eyes)
    turns: list[SeenTurn] = []
    places: dict[int, int] = {}
    waiting: tuple[str, ...] = ()
    for at, turn in enumerate(report.turns):
        own = eyes.everything or turn.player == eyes.player
        waiting += tuple(before.get(at, ()))
        if turn.number not in numbers:
            continue
        place = places[turn.number] = len(turns)
        turns.append(
            SeenTurn(
                place=place,
                number=turn.number if eyes.everything else place,
                player=turn.player,
                words=_words(turn, own) if own or turn.number in heard else None,
                before=waiting,
                audience=_few(heard.get(turn.number), indices) if eyes.everything else None,
                own=turn if own else None,
            )
        )
        waiting = ()
    everything = eyes.everything
    return SeenGame(
        number=report.game,
        eyes=eyes,
        environment=report.environment,
        status=report.status,
        seats=tuple(_seats(report, eyes)),
        turns=tuple(turns),
        events=tuple(_events(visible, places, everything)),
        changes=tuple(_events(visible, places, True, ("change",))) if everything else (),
        narrated=frozenset(_narrated(visible)),
        chances=tuple((places.get(c.turn) if c.turn is not None else None, c) for c in chances)
        if everything
        else (),
        tournament=None if eyes.blind else report.tournament,
        seed=report.seed if everything else None,
        winner=report.winner() if everything else None,
        drawn=everything and report.drawn,
        winning_team=report.winning_team if everything else None,
        reason=report.reason if everything else None,
        error=report.error if everything else None,
        void_cause=report.void_cause if everything else None,
        cost=report.cost if everything else None,
        calls=report.number_of_calls if everything else 0,
        parent=report.parent if everything else None,
    )


def numbers_of(report: GameReport, events: Sequence[EventRow], eyes: Eyes) -> list[int]:
    """The game's own numbers of the turns that these eyes see, by their places. They are for what
    is written, and never for a page that hides something."""
    acting = {e.turn for e in _visible(report, events, eyes) if e.source is not None}
    return [
        turn.number
        for turn in report.turns
        if eyes.everything or turn.player == eyes.player or turn.number in acting
    ]


def calls_of(game: SeenGame, number: int) -> tuple[SeenTurn, Sequence[CallReport]] | None:
    """A turn by the number that it has in these eyes, with its calls; None where there is none, or
    it is another player's."""
    found = next((turn for turn in game.turns if turn.number == number), None)
    if found is None or found.own is None:
        return None
    return found, found.own.calls


def _visible(report: GameReport, events: Sequence[EventRow], eyes: Eyes) -> list[EventRow]:
    """The events whose audience these eyes are of."""
    if eyes.everything:
        return [*events]
    own_turns = [turn.number for turn in report.turns if turn.player == eyes.player]
    # What was sent to a player behind its last turn was never read by it.
    last = max(own_turns, default=-1)
    indices = [player.index for player in report.players]
    mask = audience_of([eyes.player] if eyes.player is not None else indices)

    def shown(event: EventRow) -> bool:
        if event.kind in _HIDDEN_KINDS or not mask or event.audience is None:
            return False
        behind = eyes.player is not None and event.turn is not None and event.turn >= last
        own = event.source == eyes.player and event.turn is not None and event.turn <= last
        return event.audience & mask == mask and (not behind or own)

    return [event for event in events if shown(event)]


def _says_the_action(event: EventRow) -> bool:
    """Whether the rules passed on what a player did, word for word."""
    data = event.data
    return (
        event.kind == "message"
        and event.source is not None
        and "text" not in data
        and "chars" not in data
    )


def _narrated(visible: Sequence[EventRow]) -> Iterator[str]:
    for event in visible:
        if event.kind == "message" and event.source is None and event.data.get("type") == _NARRATOR:
            yield event.data.get("text", "")


def _words(turn: TurnReport, own: bool) -> str | None:
    """What it did; for others what the rules passed on."""
    return turn.submitted if not own and turn.submitted is not None else turn.action


def _few(audience: int | None, indices: Sequence[int]) -> tuple[int, ...] | None:
    """The players of an audience that is not everybody."""
    if audience is None or audience == audience_of(indices):
        return None
    return tuple(index for index in indices if audience >> index & 1)


def _seats(report: GameReport, eyes: Eyes) -> Iterator[SeenSeat]:
    for player in report.seats:
        own = eyes.everything or player.index == eyes.player
        yield SeenSeat(
            index=player.index,
            name=player.agent if own or eyes.named else f"Player {player.index}",
            role=player.role if own else None,
            team=player.team if own else None,
            outcome=report.outcome(player) if eyes.everything else None,
            agent=player.agent if own or eyes.named else None,
        )


def _events(
    visible: Sequence[EventRow],
    places: Mapping[int, int],
    everything: bool,
    kinds: tuple[str, ...] = (),
) -> Iterator[SeenEvent]:
    for event in visible:
        if event.kind not in kinds if kinds else event.kind in ("message", "change"):
            continue
        told = _TOLD.get(event.kind, frozenset())
        place = None if event.turn is None else places.get(event.turn)
        ahead = place is None and event.turn is not None and event.kind == "eliminate"
        if ahead:
            # Who was put out by night is heard of ahead of the next turn that is seen.
            place = next((at for turn, at in places.items() if turn > (event.turn or 0)), None)
        yield SeenEvent(
            place=place,
            kind=event.kind,
            source=event.source,
            target=event.target,
            day=event.day,
            phase=event.phase,
            data={k: v for k, v in event.data.items() if everything or k in told},
            ahead=ahead and place is not None,
        )


def _announced(
    report: GameReport, visible: Sequence[EventRow], eyes: Eyes
) -> Mapping[int, Sequence[str]]:
    """By the place of a turn what the rules said ahead of it.

    Players can be told the same words at different times, as of a card that one had before the
    other: the event of a message says whom it went to, and when. Where something is hidden, a
    player is told what it was shown, and the public only that of which an event says that it went
    to everybody.
    """
    turns: Sequence[TurnReport] = report.turns
    if eyes.player is not None:
        turns = [turn if turn.player == eyes.player else replace(turn, new="") for turn in turns]
    # By its words, or by its length where that alone is on record.
    sent: defaultdict[object, deque[int]] = defaultdict(deque)
    places = {turn.number: place for place, turn in enumerate(turns)}
    for event in visible:
        if event.kind == "message" and event.source is None:
            known = event.data.get("text", event.data.get("chars"))
            sent[known].append(0 if event.turn is None else places.get(event.turn, 0) + 1)
    found: defaultdict[int, list[str]] = defaultdict(list)
    waiting: list[Announcement | Shown] = []
    for item in tell_story(turns):
        if not isinstance(item, Moved):
            waiting.append(item)
            continue
        for told in waiting:
            place: int | None = item.turn
            if eyes.everything:
                place = None if isinstance(told, Shown) or told.opening else place
            else:
                place = _sent_at(sent, told, item.turn, len(report.players), eyes)
            if place is not None:
                found[place].append(told.text)
        waiting = []
    return found


def _sent_at(
    sent: Mapping[object, deque[int]],
    told: Announcement | Shown,
    heard: int,
    players: int,
    eyes: Eyes,
) -> int | None:
    """The place of the turn ahead of which a text was sent that was `heard` ahead of another one,
    None where these eyes may not have seen it."""
    keys: list[object] = [told.text]
    if not eyes.public or (isinstance(told, Announcement) and len(told.audience) == players):
        keys.append(len(told.text))
    for key in keys:
        if (at := sent.get(key)) and at[0] <= heard:
            return at.popleft()
    return None if eyes.public else heard

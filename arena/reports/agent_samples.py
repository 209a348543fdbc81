"""What a few games say that stand for all of an agent's: what it took over time, under which names
its model answered, and who believed what is not true."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from arena.reports.lies import KINDS, ClaimsBelieved, believed, untrue_claims
from db import Session
from db.models.calls import ORPHANED
from db.queries.samples import SampledCall, calls_in, events_in, seats_of
from db.queries.steps import RatedSpan, spread_games

GAMES = 64
"""Games that are looked at, spread evenly over the record."""
SLICES = 12
"""Parts in time that the games are put into."""


@dataclass(frozen=True, slots=True)
class SpentSlice:
    """What an agent's games of a stretch of time took. `names` are those under which the model
    answered, with the number of calls; dollars are None where an answered call had no price."""

    first_game: int
    last_game: int
    since: datetime | None
    games: int
    turns: int
    calls: int
    failed: int
    cost_per_game: float | None
    tokens_per_turn: float | None
    seconds_per_turn: float | None
    names: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AnsweredSpan:
    """A name under which a model answered, in how many of the calls, and when first and last."""

    name: str
    calls: int
    first_game: int
    last_game: int
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class SampledRecord:
    """What rated `games` say, spread evenly over the record of agents, or all where it is `whole`.
    `told` is the effect of the agents' own untrue claims on others, by their team; `heard` that of
    others' on them."""

    games: int
    whole: bool
    slices: tuple[SpentSlice, ...]
    names: tuple[AnsweredSpan, ...]
    told: Mapping[str, ClaimsBelieved]
    heard: ClaimsBelieved


def sampled_record(
    session: Session,
    agents: Sequence[int],
    spans: Sequence[RatedSpan],
    *,
    most: int = GAMES,
    talk: bool = True,
) -> SampledRecord:
    """The sample of agents, of at most `most` games of their `spans`; without `talk` no claims are
    read."""
    games = spread_games(session, spans, most)
    calls = calls_in(session, games, agents)
    told, heard = _talk(session, games, agents) if talk else ({}, ClaimsBelieved())
    return SampledRecord(
        games=len(games),
        whole=sum(span.games for span in spans) <= most,
        slices=_slices(games, calls),
        names=_names(calls),
        told=told,
        heard=heard,
    )


def _slices(games: Sequence[int], calls: Sequence[SampledCall]) -> tuple[SpentSlice, ...]:
    made: dict[int, list[SampledCall]] = defaultdict(list)
    for call in calls:
        made[call.game_id].append(call)
    played = [game for game in games if game in made]
    count = min(SLICES, len(played))
    found = []
    for place in range(count):
        some = played[place * len(played) // count : (place + 1) * len(played) // count]
        of = [call for game in some for call in made[game]]
        turns = len({(call.game_id, call.turn_number, call.player_index) for call in of})
        answered = [call for call in of if call.error_class is None]
        priced = answered and all(call.cost is not None for call in answered)
        tokens = sum(call.prompt_tokens + call.response_tokens for call in of)
        spent = sum(call.milliseconds or 0.0 for call in of)
        found.append(
            SpentSlice(
                first_game=some[0],
                last_game=some[-1],
                since=min((c.sent_at for c in of if c.sent_at is not None), default=None),
                games=len(some),
                turns=turns,
                calls=len(of),
                failed=sum(call.error_class not in (None, ORPHANED) for call in of),
                cost_per_game=sum(c.cost or 0.0 for c in answered) / len(some) if priced else None,
                tokens_per_turn=tokens / turns if turns and tokens else None,
                seconds_per_turn=spent / 1000 / turns if turns else None,
                names=dict(Counter(call.answered for call in of if call.answered)),
            )
        )
    return tuple(found)


def _names(calls: Sequence[SampledCall]) -> tuple[AnsweredSpan, ...]:
    by_name: dict[str, list[SampledCall]] = defaultdict(list)
    for call in calls:
        if call.answered:
            by_name[call.answered].append(call)
    found = [
        AnsweredSpan(name, len(of), of[0].game_id, of[-1].game_id, of[0].sent_at, of[-1].sent_at)
        for name, of in by_name.items()
    ]
    return tuple(sorted(found, key=lambda span: (span.first_game, span.name)))


def _talk(
    session: Session, games: Sequence[int], agents: Sequence[int]
) -> tuple[dict[str, ClaimsBelieved], ClaimsBelieved]:
    own = set(agents)
    told = defaultdict(list)
    heard = []
    seats = seats_of(session, games)
    for game, events in events_in(session, games, KINDS).items():
        places = {seat.player_index: seat for seat in seats[game]}
        mine = {place for place, seat in places.items() if seat.agent_id in own}
        for claim in untrue_claims(seats[game], events):
            if claim.source in mine:
                told[places[claim.source].team or ""].append((claim, claim.votes))
            elif votes := [vote for vote in claim.votes if vote.player in mine]:
                heard.append((claim, votes))
    return {team: believed(told[team]) for team in sorted(told)}, believed(heard)

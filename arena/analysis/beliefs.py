"""What players believe of each other as a pandas frame, scored against the truth.

Beliefs are those that agents of the kind `believing` say in their turns (events `role_belief`), and
those that `arena probe` asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Unpack

import pandas as pd

from arena.agents.beliefs import score
from arena.analysis.columns import FLOAT, INTEGER, OBJECT, STRING, series
from arena.analysis.events import events_df
from arena.analysis.frame_query import Columns, Sources, chosen_columns, of_each
from arena.analysis.frames import players_df
from arena.analysis.source import Filters, Readable, session_on
from arena.aside.probing import PURPOSE, probed
from arena.core import UsageError

_COLUMNS = {
    "game_id": INTEGER, "turn": INTEGER, "asked_by": STRING, "source": INTEGER, "agent": STRING,
    "role": STRING, "team": STRING, "target": INTEGER, "target_agent": STRING,
    "target_role": STRING, "target_team": STRING, "chances": OBJECT, "true": FLOAT,
    "identified": FLOAT, "brier": FLOAT, "prior": FLOAT, "prior_brier": FLOAT, "deceived": FLOAT,
}  # fmt: skip
_SEAT = ("game_id", "player_index", "agent", "role", "team")

GameSeats = Mapping[int, Mapping[int, Mapping[str, Any]]]


def beliefs_df(
    source: Sources = None,
    *,
    columns: Columns = None,
    limit: int | None = None,
    **filters: Unpack[Filters],
) -> pd.DataFrame:
    """One row per belief of a player about another, in order of the turns of each game; a player's
    filters choose who believes.

    game_id, turn · asked_by (`agent` for what it said in its own turn and was new, `probe` for what
    it was asked beside the game) · source (player_index of who believes), agent, role, team ·
    target (player_index of whom it is about), target_agent, target_role, target_team · chances (a
    dict: how likely each role is, adding up to 1) · true (the chance given to the true role),
    identified (1 where that is the likeliest, 1/n in a tie of n, else 0), brier (0 to 2, lower is
    better), prior and prior_brier (the same of somebody who knows the cast and the own role only) ·
    deceived (where the two are of different teams: the chance given to roles of any other team than
    the target's, which is how far it passes for what it is not; NA elsewhere).

    Role-identification accuracy is the mean of `identified`; how long a deception holds is
    `deceived` by `turn`. NA where a role is not on record. Raises UsageError for a missing database
    and for a name that it does not hold.
    """
    names = chosen_columns([*_COLUMNS], columns) or [*_COLUMNS]

    def one(each: Readable) -> pd.DataFrame:
        rows = sorted(_rows(each, filters), key=lambda row: (row["game_id"], row["turn"]))
        rows = rows if limit is None else rows[:limit]
        made = {name: series([row[name] for row in rows], kind) for name, kind in _COLUMNS.items()}
        return pd.DataFrame(made)[names]

    return of_each(source, one, limit)


def _rows(source: Readable, filters: Filters) -> Iterator[dict[str, Any]]:
    chosen = players_df(source, columns=_SEAT, **filters)
    games = sorted({int(number) for number in chosen.game_id})
    believers = set(zip(chosen.game_id, chosen.player_index, strict=True))
    seats = _seats(source, games)
    told = _told(source, filters)
    for row in told.to_dict("records"):
        chances = (row["data"] or {}).get("roles") or {}
        yield _row(
            seats, row["game_id"], row["turn"], "agent", row["source"], row["target"], chances
        )
    with session_on(source) as session:
        for game, turn, player, beliefs in probed(session, games):
            if (game, player) in believers:
                for target, chances in beliefs.items():
                    yield _row(seats, game, turn, PURPOSE, player, target, chances)


def _told(source: Readable, filters: Filters) -> pd.DataFrame:
    """The events; none where no game of the database ever had any."""
    wanted = ("game_id", "turn", "source", "target", "data")
    try:
        return events_df(source, event="role_belief", columns=wanted, **filters)
    except UsageError as error:
        if "kind of event" not in str(error):
            raise
        return pd.DataFrame({name: [] for name in wanted})


def _seats(source: Readable, games: list[int]) -> GameSeats:
    """Every player of the games, whoever was chosen."""
    found: dict[int, dict[int, dict[str, Any]]] = {game: {} for game in games}
    if games:
        for row in players_df(source, columns=_SEAT, game=games).to_dict("records"):
            own = {name: None if pd.isna(row[name]) else row[name] for name in _SEAT[2:]}
            found[int(row["game_id"])][int(row["player_index"])] = own
    return found


def _row(
    seats: GameSeats, game: int, turn: int, asked_by: str, source: int, target: int,
    chances: Mapping[str, float],
) -> dict[str, Any]:  # fmt: skip
    own, other = seats[game][source], seats[game][target]
    row: dict[str, Any] = dict.fromkeys(_COLUMNS)
    row |= {
        "game_id": game, "turn": turn, "asked_by": asked_by, "source": source, **own,
        "target": target, "target_agent": other["agent"], "target_role": other["role"],
        "target_team": other["team"], "chances": dict(chances),
    }  # fmt: skip
    if other["role"] is not None:
        cast = [seat["role"] or "" for index, seat in seats[game].items() if index != source]
        found = score(chances, other["role"], cast)
        row |= {
            "true": found.true, "identified": found.identified, "brier": found.brier,
            "prior": found.prior, "prior_brier": found.prior_brier,
        }  # fmt: skip
    if own["team"] and other["team"] and own["team"] != other["team"]:
        teams = {seat["role"]: seat["team"] for seat in seats[game].values()}
        seen = sum(chance for role, chance in chances.items() if teams.get(role) == other["team"])
        row["deceived"] = 1 - seen
    return row

"""The command `arena openings`: how often each first move won."""

from __future__ import annotations

from collections import Counter

from arena.cli.options import AsJson, DatabaseUrl, TournamentOption
from arena.cli.output import Column, print_json, print_table
from arena.cli.sessions import reading


def openings(
    tournament: TournamentOption = None, db: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """Count the first moves that won."""
    from db.queries.games import games
    from db.queries.transcript import transcript
    from db.selection import Selection

    played: Counter[str] = Counter()
    won: Counter[str] = Counter()
    with reading(db) as session:
        for game in games(session, Selection(tournament=tournament, status="completed")):
            first = transcript(session, game.game_id, calls=False)[0]
            move = first.submitted or ""
            played[move] += 1
            won[move] += game.players[first.player_index].rank == 0
    rows = [
        {"move": move, "games": games_of, "won": won[move]}
        for move, games_of in sorted(played.items())
    ]
    if as_json:
        print_json({"openings": rows})
    else:
        print_table(
            [Column("first move"), Column("games", "right"), Column("won", "right")],
            [[str(value) for value in row.values()] for row in rows],
        )

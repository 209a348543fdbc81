"""`arena play`: a person takes a seat, in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import DatabaseUrl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from arena.replay.answer_form import AnswerField
    from db import Database
    from db.queries.requests import RequestRow

# Seconds between two looks for what waits.
_EVERY = 0.3


def play(
    game: Annotated[
        int | None,
        typer.Argument(metavar="[GAME]", help="Only this game.", show_default=False),
    ] = None,
    as_: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="NAME",
            help="Whose seat it is; by default the only person who is asked something, else the "
            "name of your login.",
        ),
    ] = None,
    here: Annotated[
        bool,
        typer.Option(
            "--here/--elsewhere",
            help="Play the tournament on in this process where no other does, or leave that to "
            "`arena resume`.",
        ),
    ] = True,
    db: DatabaseUrl = None,
) -> None:
    """Take a seat that a person holds.

    Shows what the seat observes, and nothing else, and asks for the move: a line, stored at once,
    for good. A line that ends with a backslash goes on in the next. Ctrl-D leaves the game waiting:
    it goes on, hours or days later, where it stopped. Requests of a run to an operator are
    answered here too: `yes USD` lets it spend more, `no` does not."""
    from arena.cli.output import tell
    from arena.cli.playing_on import PlayedOn
    from arena.cli.sessions import existing
    from arena.cli.signals import stoppable
    from db.queries.requests import seated_in

    with existing(db) as database, stoppable("what waits for you waits on"):
        name = _person(database, as_, game)
        with database.session(create=False) as session:
            names = [name_ for _, name_ in seated_in(session, name)]
        tell(f"playing as {name}; Ctrl-D leaves, and what waits for you waits on")
        with PlayedOn(db, names if here else (), tell) as on:
            _Seat(database, name, game).play(on, here=here)


def _person(database: Database, given: str | None, game: int | None) -> str:
    """Who plays. Raises UsageError where that cannot be told."""
    from arena.core import UsageError
    from db.login import login_name
    from db.queries.requests import people_waited_for, request_rows

    with database.session(create=False) as session:
        people = people_waited_for(session, game)
        spending = any(row.type == "spend" for row in request_rows(session))
    if given is not None:
        if given not in people and not spending:
            known = f"people hold seats: {', '.join(people)}" if people else "nobody holds a seat"
            raise UsageError(
                f"{given} holds no seat in a tournament that is unfinished; {known}. An agent of "
                "`kind: human` makes one (docs/people.md)"
            )
        return given
    login = login_name()
    if login is not None and (login in people or (spending and not people)):
        return login
    if len(people) == 1:
        return people[0]
    if not people:
        raise UsageError(
            "no person holds a seat in an unfinished tournament of this database: give it an agent "
            "of `kind: human` and type `arena run` first (docs/people.md)"
        )
    raise UsageError(f"several people hold seats ({', '.join(people)}): --as NAME says who you are")


class _Seat:
    """A person at the terminal."""

    def __init__(self, database: Database, name: str, game: int | None) -> None:
        from db import Repository

        self._database = database
        self._name = name
        self._game = game
        self._shown: dict[int, str] = {}
        self._told = False
        with database.session(create=False) as session:
            row = Repository(session).get_person(name)
        # Whoever has the database and no role of a lesser kind may do all that it holds.
        self._operator = row is None or row.role == "operator"

    def play(self, on: object, *, here: bool) -> None:
        """Ask until there is nothing left to be asked, or the person leaves."""
        import time

        from arena.cli.output import tell
        from db.queries.requests import request_rows, seated_in

        while True:
            with self._database.session(create=False) as session:
                rows = request_rows(
                    session, person=self._name, operator=self._operator, game=self._game
                )
                seats = seated_in(session, self._name)
            self._tell_results()
            if rows:
                self._told = False
                if not self._ask(rows[0]):
                    tell("left: it waits for you; `arena play` goes on")
                    return
                continue
            if not seats or not (here and getattr(on, "going", False)):
                tell("nothing waits for you" if seats else "all games are over")
                return
            if not self._told:
                tell("waiting for the others")
                self._told = True
            time.sleep(_EVERY)

    def _tell_results(self) -> None:
        """Say how the games ended in which something was asked here."""
        from arena.cli.output import tell
        from arena.reports.game import result_of
        from db.queries.games import games
        from db.selection import Selection

        if not self._shown:
            return
        with self._database.session(create=False) as session:
            rows = games(session, Selection(game=[*self._shown]))
        for row in rows:
            if row.status not in ("scheduled", "running"):
                del self._shown[row.game_id]
                won = "won by " if row.winning_team is not None else ""
                why = f" ({row.reason})" if row.reason else ""
                tell(f"game {row.game_id} is over: {won}{result_of(row)}{why}")

    def _ask(self, row: RequestRow) -> bool:
        """Show a request and take the answer; False where the person leaves."""
        from arena.cli.filling_in import fill, typed
        from arena.cli.output import advise, tell
        from db import Repository
        from db.errors import BadAnswer

        self._show(row)
        fields = self._fields(row)
        while True:
            text = fill(fields) if fields else typed()
            if text is None:
                return False
            doubts = [] if fields else self._doubts(row, text)
            if doubts:
                advise(f"{'; '.join(doubts)}: Enter alone sends it all the same, or type another")
                again = typed()
                if again is None:
                    return False
                if again.strip():
                    text = again
            try:
                with self._database.session(create=False) as session:
                    Repository(session).answer_request(row.id, text, self._name)
            except BadAnswer as error:
                advise(str(error))
            else:
                tell("taken")
            return True

    def _fields(self, row: RequestRow) -> Sequence[AnswerField]:
        from arena.replay.answer_form import answer_fields

        if row.game_id is None or row.turn is None:
            return ()
        with self._database.session(create=False) as session:
            return answer_fields(session, row.game_id, row.turn)

    def _doubts(self, row: RequestRow, text: str) -> list[str]:
        from arena.replay.moves import doubts

        if row.type != "move" or row.game_id is None or row.turn is None:
            return []
        with self._database.session(create=False) as session:
            return doubts(session, row.game_id, row.turn, text)

    def _show(self, row: RequestRow) -> None:
        from arena.cli.output import duration, print_line, safe
        from db.queries.requests import observed

        if row.game_id is None or row.turn is None:
            print_line(safe(f"-- {row.tournament}: an operator is asked --", "bold"))
            print_line(safe(row.content or "", keep="\n"))
            return
        with self._database.session(create=False) as session:
            seen = observed(session, row.game_id, row.turn)
        whose = f"player {row.player_index}" if row.type == "move" else "the referee"
        head = f"-- {row.tournament}, game {row.game_id}, turn {row.turn}: you are {whose} --"
        print_line(safe(head, "bold"))
        before = self._shown.get(row.game_id)
        new = seen[len(before) :] if before is not None and seen.startswith(before) else seen
        self._shown[row.game_id] = seen
        print_line(safe(new.strip("\n"), keep="\n\t"))
        if row.deadline_at is not None:
            from datetime import UTC, datetime

            left = (row.deadline_at - datetime.now(UTC)).total_seconds()
            print_line(safe(f"-- {duration(max(left, 0.0))} left --"))

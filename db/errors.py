"""What can go wrong with a database, said to the person who opened it.

DatabaseError
├── SchemaTooOld      the tables are of an earlier release
├── SchemaTooNew      the tables are of a later release
├── MissingDatabase   nothing is there, and making it was not asked for
├── FileGone          the file that was opened is no longer there, or is another one
├── UnwritablePath    the file cannot be opened or made
├── Damaged           the file is cut short, or holds what no database writes
├── UnknownURL        no database of ours speaks this URL
├── Unreachable       the server does not answer, or hung up
├── BadAnnotation     what somebody says of a game cannot be written down
├── BadSuggestion     there is no such suggestion, or it cannot be given this status
├── BadAccess         access is given to or taken from whom it cannot be
├── BadAnswer         an answer to a request comes too late, or is too long
├── BadSelection      games are asked for by what is not on record, or is no name, date or number
├── WriteFailed       the database refused rows: a full disk, a lost server
│   └── Busy          others were writing for longer than was waited
├── LeaseHeld         another process runs this tournament
└── LeaseLost         another process has taken over the tournament that this one ran
"""

from __future__ import annotations

from typing import ClassVar


class DatabaseError(Exception):
    """An error for the person who reads it: printed without a traceback."""

    exit_code: ClassVar[int] = 2


class SchemaTooOld(DatabaseError):
    """The tables were made by an earlier release."""


class SchemaTooNew(DatabaseError):
    """The tables were made by a later release."""


class MissingDatabase(DatabaseError):
    """There is no database at this place."""


class FileGone(DatabaseError):
    """The file of an open database was deleted, moved, or replaced by another one."""


class UnwritablePath(DatabaseError):
    """The file of the database cannot be opened or made."""


class Damaged(DatabaseError):
    """The file of the database is not as it was written."""


class UnknownURL(DatabaseError):
    """The URL names no database that can be spoken to."""


class Unreachable(DatabaseError):
    """The server does not answer, or hung up: whether the last commit happened is not known."""


class BadSelection(DatabaseError):
    """Games are asked for by a name that is not on record, or by what is none."""


class BadAnnotation(DatabaseError):
    """What somebody says of a game is empty or too long, or about a game or turn there is not."""


class BadSuggestion(DatabaseError):
    """There is no such suggestion, or it cannot go from its status to the one that is asked for."""


class BadAccess(DatabaseError):
    """Access is given to somebody who has it, or taken from somebody who has none."""


class BadAnswer(DatabaseError):
    """A request was answered before, its time is over, or the answer is too long."""


class WriteFailed(DatabaseError):
    """Rows were refused by the database, or contradict the ones that are there."""


class Busy(WriteFailed):
    """Others were writing for longer than was waited: the same may work a moment later."""


class LeaseHeld(DatabaseError):
    """Another process runs this tournament."""


class LeaseLost(DatabaseError):
    """Another process has taken over the tournament: nothing of ours is written any more."""

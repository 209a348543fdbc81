"""What questions cost in databases of a thousand games and of a hundred thousand or a million.

The databases are those of `bench.generated`; only the newest games of the largest have texts, of
which a question reads one game's. Each question is asked of both in turn, CPU counted, once before
the first is taken; the board is the stored one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from arena.leaderboard import LeaderboardQuery
from arena.leaderboard.meetings import meetings
from arena.leaderboard.stored import answered, keep
from arena.reports.agent import agent_report
from arena.reports.chances import chances
from arena.reports.game import game_report
from bench.generated import Scale, cached, generate
from bench.measure import Row, median, ratios
from bench.workers import Workers
from db import Database, Repository, Session
from db.queries.conduct import conduct
from db.queries.events import events
from db.queries.games import GameRow, game, games
from db.queries.tournaments import tournaments
from db.queries.transcript import transcript
from db.selection import Selection

PART = "scale"
BOARD = LeaderboardQuery(system="trueskill")
AGENT = "agent 000"


@dataclass(frozen=True, slots=True)
class Size:
    """The databases that are compared, the small one first, and how often each is asked."""

    scales: Sequence[Scale]
    rounds: int


FULL = Size((Scale(1_000), Scale(100_000), Scale(1_000_000, texts=20_000)), rounds=9)
TOY = Size(
    (
        Scale(12, agents=6, tournaments=2, sources=2),
        Scale(24, agents=6, tournaments=2, sources=2),
    ),
    rounds=1,
)

Question = Callable[[Session, int], object]

# By name; the number is that of the newest game.
QUESTIONS: dict[str, Question] = {
    "board, as it is stored": lambda session, _: answered(session, BOARD).stored,
    "list of games": lambda session, _: games(session, limit=50),
    # The second of ten tournaments, from its 50th game on.
    "list, the last page of a tournament": lambda session, newest: games(
        session, Selection(tournament="cup 1"), limit=50, before=newest // 10 + 51
    ),
    "list of an agent's lost games": lambda session, _: games(
        session, Selection(agent=AGENT, result="loss"), limit=50
    ),
    "game, whole": lambda session, newest: asdict(
        game_report(_game(session, newest), transcript(session, newest), with_calls=True)
    ),
    "events of a game": events,
    "chances in a game": chances,
    "tournaments": lambda session, _: tournaments(session),
    "agents and how they err": lambda session, _: (
        conduct(session),
        [agent_report(agent) for agent in Repository(session).get_agents()],
    ),
    "head to head": lambda session, _: meetings(session, LeaderboardQuery(), "agent"),
}


def _game(session: Session, number: int) -> GameRow:
    found = game(session, number)
    assert found is not None
    return found


def asking(files: Sequence[Path], rounds: int) -> dict[str, list[list[float]]]:
    """Seconds of CPU by question, for each database, round by round."""
    found: dict[str, list[list[float]]] = {name: [[] for _ in files] for name in QUESTIONS}
    databases = [Database(file) for file in files]
    newest = []
    for database in databases:
        with database.session(create=False) as session:
            newest.append(games(session, Selection(status="completed"), limit=1)[0].game_id)
            answer = answered(session, BOARD)
        keep(database, answer)
    for turn in range(rounds + 1):
        for name, question in QUESTIONS.items():
            for place, database in enumerate(databases):
                with database.session(create=False) as session:
                    begun = time.process_time()
                    if not question(session, newest[place]):
                        raise RuntimeError(f"{name}: no answer from {files[place].name}")
                    used = time.process_time() - begun
                # The first time compiles queries and reads the file into memory.
                if turn:
                    found[name][place].append(used)
    for database in databases:
        database.close()
    return found


def made(file: Path, scale: Scale) -> Path:
    generate(file, scale)
    return file


def measure(workers: Workers, *, toy: bool = False) -> list[Row]:
    """One row for each question and larger database."""
    size = TOY if toy else FULL
    with TemporaryDirectory() as folder:
        # What is small is made again each time: nothing of it is kept.
        files = [
            made(Path(folder) / f"{scale.games}.db", scale) if toy else cached(scale)
            for scale in size.scales
        ]
        found = workers.of("scale").run(asking, files=files, rounds=size.rounds)
    small = size.scales[0].games
    rows = []
    for place, scale in enumerate(size.scales[1:], start=1):
        for name, used in found.items():
            rows.append(
                Row(
                    PART,
                    f"{name}: at {scale.games:,} games / at {small:,}",
                    ratios(used[place], used[0]),
                    target=1.5,
                    at_most=True,
                    numbers={
                        f"at {scale.games:,}, ms": median(used[place]) * 1e3,
                        f"at {small:,}, ms": median(used[0]) * 1e3,
                    },
                )
            )
    return rows

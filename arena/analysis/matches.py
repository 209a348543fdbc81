"""Plays a match of two agents from Python, and gives its games back."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.compare.question import default_seating, named, written
from arena.config.shape import TournamentConfig, parse
from arena.core import RatedPlayer, UsageError
from arena.matchmakers.duel import score_of
from arena.orchestrator import run
from arena.orchestrator.lookup import find_agent, rules_of
from arena.reports.game import GameReport, game_report
from arena.reports.html import table
from db.database import Database, Source, opened
from db.errors import DatabaseError
from db.queries.games import PlayerRow
from db.queries.games import games as game_rows
from db.queries.transcript import transcript
from db.repository import Repository
from db.selection import Selection

Entrant = str | Mapping[str, Any]
"""An agent of the catalogue by its name, or one as a tournament file writes it: name, kind, model
and prompt. A model with a slash in its name is LiteLLM's; a prompt is its text."""


@dataclass(frozen=True, slots=True)
class Match:
    """The games of a match, in the order of the schedule. `score` is A's mean score against
    B (1 where its team finishes before B's, one half on a par) over those with a result; None
    without any. A notebook shows it as a table."""

    a: str
    b: str
    tournament: str
    games: tuple[GameReport, ...]
    score: float | None

    def __iter__(self) -> Iterator[GameReport]:
        return iter(self.games)

    def __len__(self) -> int:
        return len(self.games)

    def __getitem__(self, place: int) -> GameReport:
        return self.games[place]

    def _repr_html_(self) -> str:
        said = "no result yet" if self.score is None else f"score {100 * self.score:.0f} %"
        return table(
            ("game", "status", "won by", "turns", "reason"),
            (
                (game.game, game.status, game.winner(), len(game.turns), game.reason)
                for game in self.games
            ),
            caption=f"{self.a} against {self.b}: {said} of {len(self.games)} games",
        )


def match(
    a: Entrant,
    b: Entrant,
    *,
    environment: str | None = None,
    games: int = 2,
    players: int | None = None,
    field: Sequence[Entrant] = (),
    seating: str | None = None,
    seed: int = 0,
    budget: float | None = None,
    concurrency: int | None = None,
    source: Source = None,
) -> Match:
    """Play A against B, `games` games in blocks of two in which they swap seats on one seed, and
    return the games with their turns. The same question again plays only what is left of it.

        arena.match("Ann", {"name": "new", "model": "openai/gpt-4o-mini", "prompt": "Win."},
                    environment="TicTacToe-v0", games=10)

    `field` fills the seats that are left, `seating` is as `arena compare` has it, `budget` is in
    dollars. It may be called where an event loop runs, as in a notebook. Raises UsageError and
    ConfigError for what cannot be played, before anything is written.
    """
    with opened(source) as database:
        config = _tournament(database, [a, b, *field], environment, players, games, seating, seed)
        _to_its_end(config, database, budget, concurrency)
        with database.session() as session:
            rows = game_rows(session, Selection(tournament=config.name))
            told = [game_report(row, transcript(session, row.game_id)) for row in rows]
    first, second = (agent.name for agent in config.agents[:2])
    # The newest comes first, and a game that was tried again is told once.
    last = {row.schedule_index: (row, report) for row, report in zip(rows, told, strict=True)}
    kept = [last[place] for place in sorted(last, key=lambda place: place or 0)]
    scores = [score for row, _ in kept if (score := _score(row.players, first, second)) is not None]
    mean = sum(scores) / len(scores) if scores else None
    return Match(first, second, config.name, tuple(report for _, report in kept), mean)


def _score(players: Sequence[PlayerRow], a: str, b: str) -> float | None:
    """A's score against B in a game, None where it has no result; teammates do not count."""
    ids = {player.agent: player.agent_id for player in players}
    places = [
        RatedPlayer(player.agent_id, player.player_index, player.rank)
        for player in players
        if player.rank is not None
    ]
    return score_of(ids[a], ids[b], places) if len(places) == len(players) else None


def _tournament(
    database: Database,
    entrants: Sequence[Entrant],
    environment: str | None,
    players: int | None,
    games: int,
    seating: str | None,
    seed: int,
) -> TournamentConfig:
    if games < 2 or games % 2:
        raise UsageError(f"games is {games}: expected an even number, one for each seating")
    try:
        with database.session() as session:
            repo = Repository(session)
            rules = rules_of(repo, environment, players)
            data: dict[str, Any] = {
                "seed": seed,
                "environment": rules.written,
                "games": games,
                "models": [],
                "prompts": [],
                "agents": [],
            }
            for each in entrants:
                _enter(repo, data, each)
    except DatabaseError as error:
        raise UsageError(str(error)) from error
    own = seating or default_seating(rules.parts(), field=len(entrants) > 2)
    data["matchmaker"] = {"name": "duel", "seating": own, "test": "fixed"}
    a, b, *others = (agent["name"] for agent in data["agents"])
    beside = f", beside {', '.join(others)}" if others else ""
    data["name"] = named(
        f"match {a} and {b} in {rules.name} ({games} games, {own}, seed {seed}{beside})", data
    )
    return parse(data, source="the match")


def _enter(repo: Repository, data: dict[str, Any], entrant: Entrant) -> None:
    if isinstance(entrant, str):
        data["agents"].append(written(find_agent(repo, entrant)))
        return
    agent = dict(entrant)
    missing = [name for name in ("name", "model", "prompt") if not agent.get(name)]
    if missing:
        raise UsageError(
            f"the agent {agent.get('name', entrant)!r} has no {missing[0]}: expected name, model "
            "and prompt, and kind where it is not `thinking`"
        )
    model, text = agent["model"], agent["prompt"]
    known = [each["name"] for each in data["models"]]
    if isinstance(model, str) and "/" in model and model not in known:
        data["models"].append({"name": model, "litellm_model": model})
    prompt = f"{agent['name']} prompt"
    data["prompts"].append({"name": prompt, "text": text})
    data["agents"].append({**agent, "prompt": prompt})


def _to_its_end(
    config: TournamentConfig, database: Database, budget: float | None, concurrency: int | None
) -> None:
    """Run in a thread of its own, since a notebook's own event loop is running already.

    Interrupted, the run is cancelled first: nothing is played behind the caller's back."""
    loop = asyncio.new_event_loop()
    failures: list[BaseException] = []
    playing = loop.create_task(run(config, url=database, budget=budget, concurrency=concurrency))

    def play() -> None:
        try:
            loop.run_until_complete(playing)
        except BaseException as error:
            failures.append(error)
        finally:
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    thread = threading.Thread(target=play, name="arena match")
    thread.start()
    try:
        thread.join()
    except BaseException:
        loop.call_soon_threadsafe(playing.cancel)
        thread.join()
        raise
    if failures:
        raise failures[0]

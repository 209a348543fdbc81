"""Where agents, models and prompts stand in the boards that are stored: nothing is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from arena.leaderboard.board import BoardRow
from arena.leaderboard.query import By, LeaderboardQuery
from arena.leaderboard.stored import BoardAnswer, stored_answer
from db import Session
from db.queries.agents import CatalogueAgent, catalogue_agents
from db.selection import Selection


@dataclass(frozen=True, slots=True)
class BoardPlace:
    """A row of a stored board with what its board is of: `of` rows in all. `board` is its place
    among the boards of the answer: an environment has several where not all agents have met."""

    board: int
    environment: str | None
    num_players: int | None
    system: str
    of: int
    row: BoardRow


@dataclass(frozen=True, slots=True)
class StoredPlaces:
    """The places in the boards of a question. `stored` says whether there are any boards yet,
    `behind` that something has changed since they were computed; `newest` is the newest game."""

    stored: bool
    behind: bool
    newest: int | None
    places: tuple[BoardPlace, ...]


def part_places(session: Session, by: By, name: str) -> StoredPlaces:
    """The places of a model, a prompt or a kind, by what it adds to an agent."""
    return stored_places(session, LeaderboardQuery(by=by), lambda row: row.name == name)


def stored_places(
    session: Session, query: LeaderboardQuery, wanted: Callable[[BoardRow], bool]
) -> StoredPlaces:
    """The rows of a stored answer that are wanted; nothing is computed."""
    answer = stored_answer(session, query)
    if answer is None:
        return StoredPlaces(False, False, None, ())
    return StoredPlaces(True, answer.behind, answer.newest, tuple(_places(answer, wanted)))


def _places(answer: BoardAnswer, wanted: Callable[[BoardRow], bool]) -> Sequence[BoardPlace]:
    return [
        BoardPlace(
            at, board.environment, board.num_players, board.system,
            len(board.rows), row,
        )
        for at, board in enumerate(answer.boards)
        for row in board.rows
        if wanted(row)
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListedAgent:
    """An agent of the catalogue with its places, the one of the most games first."""

    agent: CatalogueAgent
    places: tuple[BoardPlace, ...]


def listed_agents(
    session: Session, selection: Selection | None = None
) -> tuple[list[ListedAgent], StoredPlaces]:
    """The agents of a selection by their parts, those of the largest board first and best first,
    and where they stand. Raises BadSelection for what is not on record."""
    agents = catalogue_agents(session, selection)
    wanted = {agent.agent_id for agent in agents}
    board = stored_places(session, LeaderboardQuery(), lambda row: row.agent_id in wanted)
    of: dict[int, list[BoardPlace]] = {}
    for place in board.places:
        of.setdefault(place.row.agent_id or 0, []).append(place)
    found = [
        ListedAgent(
            agent,
            tuple(
                sorted(of.get(agent.agent_id, ()), key=lambda each: -each.row.record.whole.games)
            ),
        )
        for agent in agents
    ]

    def order(each: ListedAgent) -> tuple[int, int, int]:
        if not each.places:
            return len(agents), 0, each.agent.agent_id
        return each.places[0].board, each.places[0].row.rank, each.agent.agent_id

    return sorted(found, key=order), board

"""A schedule that nobody has answered in is cleared; what may have been charged stays on record."""

from __future__ import annotations

from datetime import UTC, datetime

from db import Repository, get_session
from db.queries.schedule import open_games, settled_places
from db.queries.spending import spent, spent_by_tournament
from db.queries.tournaments import tournaments
from db.queries.uses import catalogue_uses, has_answers, has_played
from tests.db.tournaments import tournament


def test_money_is_not_forgotten_with_a_schedule(database_url: str) -> None:
    games, key, agent = tournament(database_url, games=3), 1, 1
    with get_session(database_url) as session:
        repo = Repository(session)
        for game, charged in ((games[0], 0.25), (games[1], None)):
            row = repo.get_game_by_id(game)
            assert row is not None
            row.status = "running"
            turn = repo.add_game_turn(game, 0, 0, "observation", None)
            call = repo.add_llm_call(
                turn.id or 0, "openai/m", [], request_sent_at=datetime.now(UTC),
                error_class="Timeout",
            )  # fmt: skip
            call.charged = charged
    with get_session(database_url) as session:
        repo = Repository(session)
        assert not has_answers(session, key)
        assert not has_played(session, "agent", agent)
        assert spent(session, key) == {"model-0": 0.25, "model-1": 0.0}

        repo.lock_ratings()
        repo.clear_schedule(key)
        repo.recount(key)

        assert spent(session, key) == {"model-0": 0.25}
        assert spent_by_tournament(session) == {key: 0.25}
        assert open_games(session, key) == []
        assert settled_places(session, key) == {}
        (listed,) = tournaments(session)
        assert (listed.by_status, listed.settled, listed.charged) == ({"void": 1}, 0, 0.25)
        (game,) = repo.get_games()
        assert (game.id, game.schedule_index, game.final) == (games[0], None, False)
        assert repo.check_counters(key)[1] == []
        uses = catalogue_uses(session, "agent", agent)
        assert (uses.games, uses.tournaments, uses.fixed) == (1, ["cup"], False)

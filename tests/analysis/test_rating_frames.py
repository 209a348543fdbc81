"""The frames of ratings: standings, leaderboards and what each game did."""

from arena.analysis import rating_changes_df, ratings_df


def test_the_leaderboard_is_the_environments_and_the_standings_the_tournaments(database):
    board = ratings_df(database, environment="Village-v0")
    assert board.agent.tolist() == ["ann", "bob", "thinking/small/plain", "dora"]
    assert board.place.tolist() == [1, 1, 1, 4]
    assert board.mu.tolist() == [26.0, 26.0, 26.0, 24.0]
    assert board.sigma.round(6).tolist() == [6.75] * 4
    assert board[["games", "wins", "draws", "losses"]].to_numpy().tolist() == [
        *([2, 1, 1, 0], [2, 1, 1, 0], [2, 1, 1, 0], [2, 0, 1, 1])
    ]
    assert board.tournament.isna().all()
    assert (board.high - board.mu).round(4).tolist() == [round(1.959964 * 6.75, 4)] * 4
    assert (board.mu - board.low).round(4).tolist() == [round(1.959964 * 6.75, 4)] * 4
    assert board.centred.tolist() == [25.5, 25.5, 25.5, 23.5]
    assert board.conservative.round(6).tolist() == [5.75, 5.75, 5.75, 3.75]

    standings = ratings_df(database, tournament="second")
    assert standings.agent.tolist() == ["thinking/small/plain", "bob"]
    assert standings.environment.tolist() == ["Duel-v0", "Duel-v0"]
    dora = ratings_df(database, agent="dora").iloc[0]
    assert (dora.place, dora.centred) == (4, 23.5)
    assert ratings_df(database).pool_id.nunique() == 2
    assert ratings_df(database, tournament="second", environment="Village-v0").empty


def test_rating_changes_follow_the_games(database):
    ann = rating_changes_df(database, environment="Village-v0", agent="ann")
    assert ann.game_id.tolist() == [1, 2]
    assert ann.mu_before.tolist() == [25.0, 26.0]
    assert ann.mu_after.tolist() == [26.0, 26.0]
    assert ann.fold_index.is_monotonic_increasing
    assert rating_changes_df(database, game=6).agent_id.tolist() == [2, 3]
    assert len(rating_changes_df(database, tournament="first")) == 8

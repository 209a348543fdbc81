"""The promises of `arena.core.TellsEvents`: what an environment tells of a whole game."""

from __future__ import annotations

from arena.core import Event
from arena.testing.conformance import expect
from arena.testing.policies import plausible, with_hostile_texts
from arena.testing.transcript import MakeEnvironment, TranscriptGame


def check_events(
    make: MakeEnvironment, *, seed: int = 0, turn_limit: int = 400, result: bool = False
) -> None:
    """Plays games with the smallest number of players to their end, or to `turn_limit`, and looks
    at what is told: in the order of the turns, something in each, nothing left behind the last, who
    acts where a message is a player's action, and a `result` in the last turn alone that is the
    outcome. With `result` a game that is over must tell one. Raises ConformanceError.
    """
    for policy in (plausible, with_hostile_texts):
        environment = make()
        players = environment.spec.min_players
        game = TranscriptGame(environment, seed=seed, num_players=players, policy=policy)
        while not game.done and len(game.turns) < turn_limit:
            game.advance()
        _check(game, environment.spec.name, must_end=result and game.done)


def _check(game: TranscriptGame, name: str, *, must_end: bool) -> None:
    transcript = game.transcript()
    gathered = transcript.events
    expect(gathered.error is None, f"{name}: events to be told, found\n{gathered.error}")
    telling = getattr(game.environment, "events", None)
    if telling is None:
        return
    left = list(telling())
    expect(not left, f"{name}: every event to be told by the last turn, found {left[:1]} later")
    events = gathered.events
    turns = [-1 if event.turn is None else event.turn for event in events]
    expect(turns == sorted(turns), f"{name}: events in the order of the turns")
    silent = {*range(len(game.turns))} - {*turns}
    expect(not silent, f"{name}: something in every turn, found nothing in {sorted(silent)[:5]}")
    for event in events:
        if event.kind == "message" and event.source is not None and event.turn is not None:
            acting = game.turns[event.turn].observation.player_index
            expect(event.source == acting, f"{name}: player {acting} to be who acts, in {event}")
    results = [event for event in events if event.kind == "result"]
    expect(len(results) <= 1, f"{name}: one result, found {len(results)}")
    expect(bool(results) or not must_end, f"{name}: a result of a game that is over")
    for found in results:
        _check_result(game, name, found)


def _check_result(game: TranscriptGame, name: str, found: Event) -> None:
    last = len(game.turns) - 1
    expect(game.done and found.turn == last, f"{name}: a result in the last turn, in {found}")
    players = game.transcript().outcome.players
    drawn = len({player.rank for player in players}) == 1
    first = [] if drawn else [player.player_index for player in players if player.rank == 0]
    won = sorted(found.data["winners"])
    expect(won == sorted(first), f"{name}: the winners {first} of the outcome, found {won}")

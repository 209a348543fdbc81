"""Runs a tournament: checks it, enters it, plays what is left, and says how it went."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from arena import registry
from arena.config import TournamentConfig, restored
from arena.core import UsageError
from arena.core.collector import is_set_aside
from arena.core.text import one_line
from arena.core.threads import in_thread
from arena.llm.cache import Answers
from arena.llm.client import Client
from arena.llm.costs.budget import Budget
from arena.llm.pacing.limits import SentBefore
from arena.llm.secrets import scrub
from arena.orchestrator import kept_ratings, run_log, schedule
from arena.orchestrator.catalogue import EnteredTournament, enter
from arena.orchestrator.clients import ModelAccess, check_capped, client_for, limits_for
from arena.orchestrator.file_limits import check_files
from arena.orchestrator.last_games import write_about_last_games
from arena.orchestrator.pairing_source import Supply
from arena.orchestrator.play_loop import Playing
from arena.orchestrator.preflight import Prepared, check_database, check_keys, prepare
from arena.orchestrator.progress import OnProgress, Summary
from arena.orchestrator.schedule import Earlier
from arena.orchestrator.shared_budget import budget_of, caps_of
from arena.orchestrator.specs import key_of
from arena.orchestrator.spending import Approved, allowed_more, settle_request, with_approved
from arena.orchestrator.standings import LiveStandings
from arena.orchestrator.stopping import Stop
from arena.orchestrator.summing import summary_of
from arena.orchestrator.versions import as_catalogued
from arena.record.answer_cache import DatabaseCache
from arena.record.listening import Listeners, RunListener
from arena.record.run_log import run_logged
from arena.reports.tournament import ABANDONED_AFTER
from db import Database, Repository, Session, get_session
from db.database import Source, opened
from db.finding import find
from db.leases import Lease
from db.queries.schedule import ScheduledGame, live_state, open_games, scheduled_places
from db.queries.tournaments import active_at


async def run(
    config: TournamentConfig,
    *,
    url: Source = None,
    games: int | None = None,
    concurrency: int | None = None,
    executor: str | None = None,
    budget: float | None = None,
    uncapped: bool = True,
    on_progress: OnProgress | None = None,
    stop: Stop | None = None,
    wait: bool = False,
    listeners: Sequence[RunListener] = (),
) -> Summary:
    """Play what is left of a tournament, at most `games` of it, `concurrency` at once.

    Everything is checked before the first row is written. A tournament of the same name and
    configuration is resumed: a game that was begun is played again from its record, no
    answered call is made twice, and goes on where the record ends. `executor` replaces the file's.
    `budget` (dollars, over all
    runs) replaces the file's; without any, unless `uncapped`, models that cost money are refused.
    With `wait` the run waits for people's answers when nothing else is left to play, and for an
    operator's when its budget is reached.
    `listeners` hear of it as it happens.
    `stop` ends the run early and in order. Cancelling this call leaves
    the database as a killed process would: nothing is lost that was committed.

    Raises ConfigError or UsageError for what cannot be played, RecordError when the database
    cannot be written, DatabaseError when it cannot be opened or another run has the tournament.
    """
    if budget is not None:
        config = config.model_copy(update={"budget": budget})
    if executor is not None and executor != config.executor:
        registry.check("executors", executor)
        config = config.model_copy(update={"executor": executor, "executor_options": {}})
    with opened(url) as database:
        # In threads: imports, checks and a slow database take seconds, in which the caller's loop
        # has other work, and a Ctrl-C wants an answer.
        ready = await in_thread(_make_ready, config, database, concurrency, uncapped)
        key, client = ready.entry.tournament_id, ready.client
        with await in_thread(database.lease, key, undo=Lease.release) as lease:
            begun = await in_thread(_begin, ready, database, lease)
            playing = Playing(
                ready.prepared,
                ready.entry,
                database,
                ModelAccess(
                    client,
                    limits_for(ready.prepared.config, client.lag, begun.proven, begun.sent),
                    begun.budget,
                    _answers(config, database),
                    begun.cap,
                ),
                begun.standings,
                begun.supply,
                begun.earlier,
                stop or Stop(),
                on_progress,
                wait=wait,
                listeners=Listeners(listeners),
            )
            heard = playing.heard
            try:
                async with (
                    database.recorder(
                        ready.prepared.fold, lease=lease, delegates=config.cache is None
                    ) as recorder,
                    run_logged(key, recorder),
                ):
                    run_log.run_begins(
                        lease.fence,
                        done=begun.earlier.completed + begun.earlier.void,
                        total=config.games,
                        begun=sum(game.begun for game in begun.left),
                        orphans=len(begun.earlier.orphans),
                    )
                    heard.tell(lambda each: each.run_begins(key, ready.config.name))
                    if begun.abandoned is not None:
                        playing.tell(run_log.run_resumes_abandoned(begun.abandoned))
                    try:
                        await playing.play(
                            recorder, begun.left, concurrency or config.concurrency, most=games
                        )
                        await write_about_last_games(playing)
                    finally:
                        summary = summary_of(playing)
                        run_log.run_ends(lease.fence, summary)
                        heard.tell(partial(_ended, summary))
            finally:
                await client.aclose()
            unrated = await in_thread(_close, ready, database, playing)
        summary = replace(summary_of(playing), unrated=unrated)
        stopping = playing.stop
        if (
            wait
            and playing.halts.budget_reached
            and await allowed_more(database, key, begun.approved, stopping)
        ):
            return await run(
                config,
                url=database,
                games=games,
                concurrency=concurrency,
                uncapped=uncapped,
                on_progress=on_progress,
                stop=stopping,
                wait=wait,
                listeners=listeners,
            )
    return summary


def _ended(summary: Summary, listener: RunListener) -> None:
    listener.run_ends(summary.stopped)


@dataclass(frozen=True, slots=True)
class _Ready:
    """A tournament that is checked, entered, and has a client that has loaded what calls need."""

    prepared: Prepared
    entry: EnteredTournament
    client: Client
    config: TournamentConfig


def _make_ready(
    config: TournamentConfig, database: Database, concurrency: int | None, uncapped: bool
) -> _Ready:
    with _collector_paused():
        return _loaded(config, database, concurrency, uncapped)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No garbage is collected inside the block: a collection holds every thread, and would look
    through the million long-lived objects that imports make, again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not is_set_aside():
            # From the youngest generation to the oldest, without a collection.
            gc.freeze()
            gc.unfreeze()
        if enabled:
            gc.enable()


def _loaded(
    config: TournamentConfig, database: Database, concurrency: int | None, uncapped: bool
) -> _Ready:
    prepared = prepare(config)
    check_database(config, database)
    client = client_for(config, keep_answers=config.cache is not None)
    check_keys(config, client)
    check_files(concurrency or config.concurrency)
    database.check(integrity=True)
    with database.session() as session:
        entry = enter(session, prepared)
        if entry.prepared.config.models != config.models:
            # Its models are called otherwise in the catalogue.
            client = client_for(entry.prepared.config, keep_answers=config.cache is not None)
        if schedule.status(session, entry.tournament_id) != "finished":
            # What is refused here leaves no row behind.
            client.load(spec.model for spec in entry.everybody)
            _check_prices(entry.prepared.config, client, entry)
            if not uncapped and not caps_of(config).any:
                models = (spec.model for spec in entry.everybody)
                check_capped(client, models, capped=False)
    return _Ready(entry.prepared, entry, client, config)


_LONGEST_REASON = 500


def _close(ready: _Ready, database: Database, playing: Playing) -> str | None:
    """Close the tournament if it is complete; why results of it are not rated, if they are not."""
    key = ready.entry.tournament_id
    summary = summary_of(playing)
    why = summary.stopped or ("it was interrupted" if summary.interrupted else None)
    left = None if why is None else one_line(scrub(why), _LONGEST_REASON)
    settle_request(database, key, playing.halts)
    schedule.close(database, key, complete=playing.complete(), left=left)
    return schedule.unrated(database, key, ready.prepared.fold.system)


@dataclass(frozen=True, slots=True)
class _Begun:
    """Where a run starts from."""

    left: list[ScheduledGame]
    earlier: Earlier
    standings: LiveStandings
    supply: Supply
    budget: Budget | None
    proven: frozenset[str]
    sent: Mapping[str, Sequence[SentBefore]]
    approved: Approved
    cap: float | None
    abandoned: timedelta | None = None


def _begin(ready: _Ready, database: Database, lease: Lease) -> _Begun:
    prepared, entry = ready.prepared, ready.entry
    key, config = entry.tournament_id, prepared.config
    with database.session(create=False) as session:
        repo = Repository(session)
        heard = active_at(session, key)
        finished = schedule.status(session, key) == "finished"
        left = open_games(session, key)
        repo.end_chunks(key, lease.fence)
        sent = schedule.sent_lately(session, key)
        orphans = schedule.settle_orphans(session, left)
        length = scheduled_places(session, key)
        standings = _standings(session, entry)
        past = schedule.history(session, key, standings.place)
        earlier = schedule.earlier(session, key, orphans=orphans)
        _check_unchanged(repo, entry, ready.config)
        repo.set_tournament_settings(key, ready.config.settings())
        approved = repo.approved_dollars(key)
        caps = with_approved(caps_of(config), approved)
        budget = budget_of(session, database, caps, lease, key, earlier.own)
        if not finished:
            begun = earlier.completed or earlier.void
            reason = "its run was resumed" if begun else "its run began"
            repo.set_tournament_status(key, "running", reason=reason)
    matchmaker = prepared.matchmaker(list(entry.agents))
    supply = Supply(
        matchmaker,
        list(entry.agents),
        width=matchmaker.width,
        games=length if finished else config.games,
        length=length,
        past=lambda: database.reconnecting(lambda session: schedule.history(session, key)),
        first=standings.place,
        enter=lambda pairings: schedule.extend(database, key, pairings),
        costs=lambda place: schedule.costs(database, key, place),
    )
    settled = {index for index, result in past.settled.items() if result is not None}
    seated = {
        *standings.folded.games,
        *(
            agent
            for game in past.scheduled
            if game.schedule_index in settled
            for agent in game.agents
        ),
    }
    proven = frozenset(entry.agents[agent].model.name for agent in seated)
    for index, result in past.settled.items():
        standings.settle(index, result)
        supply.settle(index, result)
    silent = None if heard is None or finished else datetime.now(UTC) - heard
    abandoned = silent if silent is not None and silent >= ABANDONED_AFTER else None
    return _Begun(
        left, earlier, standings, supply, budget, proven, sent, approved, caps.total, abandoned
    )


def _check_unchanged(repo: Repository, entry: EnteredTournament, config: TournamentConfig) -> None:
    """Raises ConfigError where another process has changed the tournament before this one held its
    lease."""
    row = repo.get_tournament_by_id(entry.tournament_id)
    if row is None or row.config_hash != entry.config_hash:
        raise config.error(
            f"the tournament {config.name!r} was changed while this run began: type the same "
            "command again",
            "name",
        )


def _standings(session: Session, entry: EnteredTournament) -> LiveStandings:
    """Live ratings from where they were kept, or from the beginning."""
    names = {agent_id: spec.name for agent_id, spec in entry.agents.items()}
    kept = live_state(session, entry.tournament_id, kept_ratings.VERSION)
    folded = None if kept is None else kept_ratings.unpacked(kept.body)
    if kept is None or folded is None:
        return LiveStandings(names)
    return LiveStandings(names, kept.place, folded)


def _check_prices(config: TournamentConfig, client: Client, entry: EnteredTournament) -> None:
    caps = caps_of(config)
    written = {model.name: index for index, model in enumerate(config.models)}
    for model in {spec.model.name: spec.model for spec in entry.everybody}.values():
        if caps.total is None and model.name not in caps.per_model:
            continue
        place = ("models", written[model.name]) if model.name in written else ()
        with config.at(*place):
            client.check_priced(model)


def _answers(config: TournamentConfig, database: Database) -> Answers | None:
    cache = config.cache
    return DatabaseCache(database, cache.ttl) if cache is not None and cache.rated else None


def restore(url: Source, name: str | None = None) -> TournamentConfig:
    """The configuration of a tournament in the database, its agents as the catalogue has them now;
    without a name, of the only one that is not finished. Raises UsageError where there is none, or
    more than one, BadSelection for a name that is not on record."""
    with get_session(url, create=False) as session:
        repo = Repository(session)
        if name is not None:
            (key,) = find(session, "tournament", name)
            found = [row for row in (repo.get_tournament_by_id(key),) if row is not None]
        else:
            found = [row for row in repo.get_tournaments() if row.status != "finished"]
            if len(found) != 1:
                names = ", ".join(repr(row.name) for row in found)
                raise UsageError(
                    f"several tournaments are not finished ({names}): say which to resume"
                    if found
                    else "every tournament is finished: there is nothing to resume"
                )
        config = restored(found[0].config, found[0].settings)
        return as_catalogued(repo, config, key_of(found[0]))

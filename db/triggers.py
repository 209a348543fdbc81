"""The triggers that the tables have on both databases, and their statements on SQLite, by which a
file of ours is told from a stranger's."""

from __future__ import annotations

from collections.abc import Mapping

APPEND_ONLY = "audit_log_kept"
"""What lets nobody delete an entry of the trail (`db.maintenance.forgetting` puts it aside)."""

ON_SQLITE: Mapping[str, str] = {
    "prompts_immutable": (
        "create trigger prompts_immutable before update on prompts when old.id is not new.id or "
        "old.name is not new.name or old.content is not new.content or old.content_hash is not "
        "new.content_hash or old.forked_from is not new.forked_from or old.created_at is not "
        "new.created_at begin select raise(abort, 'a prompt is immutable: fork it, and use the "
        "fork'); end"
    ),
    "audit_log_unchanged": (
        "create trigger audit_log_unchanged before update on audit_log begin select raise(abort, "
        "'the trail is append-only: an entry is never changed'); end"
    ),
    APPEND_ONLY: (
        f"create trigger {APPEND_ONLY} before delete on audit_log begin select raise(abort, 'the "
        "trail is append-only: only `arena db forget` removes old entries'); end"
    ),
    # INSERT OR REPLACE would delete without a trigger of deletions.
    "audit_log_unreplaced": (
        "create trigger audit_log_unreplaced before insert on audit_log when exists (select 1 from "
        "audit_log where id = new.id) begin select raise(abort, 'the trail is append-only: an "
        "entry is never replaced'); end"
    ),
    "tournaments_status": (
        "create trigger tournaments_status before update of status on tournaments when old.status "
        "is not new.status and old.status || ' ' || new.status not in ('created running', "
        "'created paused', 'running paused', 'running finished', 'running created', 'paused "
        "running', 'paused created', 'finished paused', 'finished created') begin select "
        "raise(abort, 'a tournament cannot go from this status to that one'); end"
    ),
    "games_moved": (
        "create trigger games_moved after update of status on games when new.status is not "
        "old.status begin select raise(abort, 'a game that has ended keeps its status, and one "
        "that was begun is not scheduled again') where old.status in ('completed', 'void') or "
        "new.status = 'scheduled'; insert into game_states (game_id, status, reason, actor, at)"
        " values ( new.id, new.status, case new.status when 'completed' then new.termination "
        "when 'void' then new.void_cause end, coalesce( (select 'run ' || fence from leases "
        "where tournament_id = new.tournament_id and holder is not null), case when "
        "new.tournament_id is null and new.parent_game_id is not null then 'branches' else "
        "'hand' end), coalesce(case new.status when 'running' then new.started_at else "
        "new.finished_at end, strftime('%y-%m-%d %h:%m:%f000', 'now'))); end"
    ),
    "games_entered": (
        "create trigger games_entered after insert on games when new.status <> 'scheduled' "
        "begin insert into game_states (game_id, status, actor, at) select new.id, 'running', "
        "'hand', new.started_at where new.started_at is not null; insert into game_states "
        "(game_id, status, reason, actor, at) select new.id, new.status, "
        "coalesce(new.termination, new.void_cause), 'hand', coalesce(new.finished_at, "
        "new.created_at) where new.status <> 'running'; end"
    ),
    "game_states_paused": (
        "create trigger game_states_paused before insert on game_states when new.status = "
        "'paused' and (select status from games where id = new.game_id) is not 'running' begin "
        "select raise(abort, 'only a game that is being played is paused'); end"
    ),
    "game_states_replaced": (
        "create trigger game_states_replaced before insert on game_states when exists (select 1"
        " from game_states where id = new.id) begin select raise(abort, 'what happened to a "
        "game stays on record: it is only added to'); end"
    ),
    "game_states_changed": (
        "create trigger game_states_changed before update on game_states begin select "
        "raise(abort, 'what happened to a game stays on record: it is only added to'); end"
    ),
    "game_states_deleted": (
        "create trigger game_states_deleted before delete on game_states when exists (select 1 "
        "from games where id = old.game_id) begin select raise(abort, 'what happened to a game "
        "stays on record: it is only added to'); end"
    ),
}
"""By name, in small letters and with single spaces."""

_ON_SQLITE_ALONE = {"audit_log_unreplaced", "game_states_deleted", "game_states_replaced"}
ON_SERVER = ON_SQLITE.keys() - _ON_SQLITE_ALONE | {"audit_log_not_emptied", "games_status"}
"""The names of those on PostgreSQL."""

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
}
"""By name, in small letters and with single spaces."""

ON_SERVER = ON_SQLITE.keys() - {"audit_log_unreplaced"} | {"audit_log_not_emptied"}
"""The names of those on PostgreSQL."""

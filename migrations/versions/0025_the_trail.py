"""A trail of what was changed by whom, append-only, and the moves that a tournament's status can
make.

Revision ID: 0025
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: str | None = None
depends_on: str | None = None

JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
BIG_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

MOVES = """
'created running', 'created paused', 'running paused', 'running finished', 'running created',
'paused running', 'paused created', 'finished paused', 'finished created'
"""
ILLEGAL = f"""
old.status IS {{}} new.status AND old.status || ' ' || new.status NOT IN ({MOVES.strip()})
"""
SAID = {
    "audit_log_unchanged": "the trail is append-only: an entry is never changed",
    "audit_log_kept": "the trail is append-only: only `arena db forget` removes old entries",
    "audit_log_unreplaced": "the trail is append-only: an entry is never replaced",
    "tournaments_status": "a tournament cannot go from this status to that one",
}
WHEN = {
    "audit_log_unchanged": "BEFORE UPDATE ON audit_log",
    "audit_log_kept": "BEFORE DELETE ON audit_log",
    "audit_log_unreplaced": (
        "BEFORE INSERT ON audit_log WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = new.id)"
    ),
    "tournaments_status": (
        f"BEFORE UPDATE OF status ON tournaments WHEN {ILLEGAL.format('NOT').strip()}"
    ),
}
# On a server a conflict of keys never deletes, and a table can be emptied without a DELETE.
ON_SERVER = {
    "audit_log_unchanged": "BEFORE UPDATE ON audit_log FOR EACH ROW",
    "audit_log_kept": "BEFORE DELETE ON audit_log FOR EACH ROW",
    "audit_log_not_emptied": "BEFORE TRUNCATE ON audit_log FOR EACH STATEMENT",
    "tournaments_status": (
        "BEFORE UPDATE OF status ON tournaments FOR EACH ROW WHEN "
        f"({ILLEGAL.format('DISTINCT FROM').strip()})"
    ),
}
FUNCTION = """
CREATE FUNCTION refuse_by_trail() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", BIG_ID, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("actor", "entity")),
        sa.Column("entity_id", BIG_ID, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("entity_name", "action")),
        *(sa.Column(name, JSON, nullable=True) for name in ("before", "after")),
        sa.Column("reason", sa.Text, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit_log"),
        sa.CheckConstraint(
            "action IN ('add', 'edit', 'status', 'delete', 'forget')", name="ck_audit_log_action"
        ),
        sa.CheckConstraint("actor <> ''", name="ck_audit_log_actor"),
    )
    op.create_index("ix_audit_log_entity_entity_id", "audit_log", ["entity", "entity_id"])
    if op.get_bind().dialect.name == "sqlite":
        for name, when in WHEN.items():
            op.execute(
                f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{SAID[name]}'); END"
            )
        return
    op.execute(FUNCTION)
    for name, when in ON_SERVER.items():
        said = SAID.get(name, SAID["audit_log_kept"])
        op.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION refuse_by_trail('{said}')")


def downgrade() -> None:
    server = op.get_bind().dialect.name == "postgresql"
    op.execute("DROP TRIGGER tournaments_status" + (" ON tournaments" if server else ""))
    op.drop_table("audit_log")
    if server:
        op.execute("DROP FUNCTION refuse_by_trail()")

"""What happened to games, and what runs log.

Revision ID: 0026
"""

# ruff: noqa: S608
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: str | None = None
depends_on: str | None = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Microseconds on SQLite.
COMPACT = sa.BigInteger().with_variant(postgresql.TIMESTAMP(timezone=True), "postgresql")

ENDED = "a game that has ended keeps its status, and one that was begun is not scheduled again"
KEPT = "what happened to a game stays on record: it is only added to"
PAUSED = "only a game that is being played is paused"

# Who moved a game: the run that has its tournament, a run of branches, or somebody by hand.
ACTOR = """COALESCE(
    (SELECT 'run ' || fence FROM leases
     WHERE tournament_id = new.tournament_id AND holder IS NOT NULL),
    CASE WHEN new.tournament_id IS NULL AND new.parent_game_id IS NOT NULL
      THEN 'branches' ELSE 'hand' END)"""
REASON = "CASE new.status WHEN 'completed' THEN new.termination WHEN 'void' THEN new.void_cause END"

SQLITE = (
    f"""
CREATE TRIGGER games_moved AFTER UPDATE OF status ON games
WHEN new.status IS NOT old.status
BEGIN
  SELECT RAISE(ABORT, '{ENDED}')
  WHERE old.status IN ('completed', 'void') OR new.status = 'scheduled';
  INSERT INTO game_states (game_id, status, reason, actor, at) VALUES (
    new.id, new.status, {REASON},
    {ACTOR},
    COALESCE(CASE new.status WHEN 'running' THEN new.started_at ELSE new.finished_at END,
      strftime('%Y-%m-%d %H:%M:%f000', 'now')));
END
""",
    """
CREATE TRIGGER games_entered AFTER INSERT ON games
WHEN new.status <> 'scheduled'
BEGIN
  INSERT INTO game_states (game_id, status, actor, at)
  SELECT new.id, 'running', 'hand', new.started_at WHERE new.started_at IS NOT NULL;
  INSERT INTO game_states (game_id, status, reason, actor, at)
  SELECT new.id, new.status, COALESCE(new.termination, new.void_cause), 'hand',
    COALESCE(new.finished_at, new.created_at) WHERE new.status <> 'running';
END
""",
    f"""
CREATE TRIGGER game_states_paused BEFORE INSERT ON game_states
WHEN new.status = 'paused'
  AND (SELECT status FROM games WHERE id = new.game_id) IS NOT 'running'
BEGIN
  SELECT RAISE(ABORT, '{PAUSED}');
END
""",
    # INSERT OR REPLACE would delete without a trigger of deletions.
    f"""
CREATE TRIGGER game_states_replaced BEFORE INSERT ON game_states
WHEN EXISTS (SELECT 1 FROM game_states WHERE id = new.id)
BEGIN
  SELECT RAISE(ABORT, '{KEPT}');
END
""",
    f"""
CREATE TRIGGER game_states_changed BEFORE UPDATE ON game_states
BEGIN
  SELECT RAISE(ABORT, '{KEPT}');
END
""",
    f"""
CREATE TRIGGER game_states_deleted BEFORE DELETE ON game_states
WHEN EXISTS (SELECT 1 FROM games WHERE id = old.game_id)
BEGIN
  SELECT RAISE(ABORT, '{KEPT}');
END
""",
)

POSTGRESQL = (
    f"""
CREATE FUNCTION refuse_game_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '{ENDED}' USING ERRCODE = 'integrity_constraint_violation';
END $$
""",
    """
CREATE TRIGGER games_status BEFORE UPDATE OF status ON games FOR EACH ROW
WHEN (new.status IS DISTINCT FROM old.status
  AND (old.status IN ('completed', 'void') OR new.status = 'scheduled'))
EXECUTE FUNCTION refuse_game_status()
""",
    f"""
CREATE FUNCTION add_game_state() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO game_states (game_id, status, reason, actor, at) VALUES (
    new.id, new.status, {REASON},
    {ACTOR},
    COALESCE(CASE new.status WHEN 'running' THEN new.started_at ELSE new.finished_at END,
      clock_timestamp()));
  RETURN NULL;
END $$
""",
    """
CREATE TRIGGER games_moved AFTER UPDATE OF status ON games FOR EACH ROW
WHEN (new.status IS DISTINCT FROM old.status)
EXECUTE FUNCTION add_game_state()
""",
    """
CREATE FUNCTION add_entered_game_states() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO game_states (game_id, status, actor, at)
  SELECT new.id, 'running', 'hand', new.started_at WHERE new.started_at IS NOT NULL;
  INSERT INTO game_states (game_id, status, reason, actor, at)
  SELECT new.id, new.status, COALESCE(new.termination, new.void_cause), 'hand',
    COALESCE(new.finished_at, new.created_at) WHERE new.status <> 'running';
  RETURN NULL;
END $$
""",
    """
CREATE TRIGGER games_entered AFTER INSERT ON games FOR EACH ROW
WHEN (new.status <> 'scheduled')
EXECUTE FUNCTION add_entered_game_states()
""",
    f"""
CREATE FUNCTION refuse_pause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (SELECT status FROM games WHERE id = new.game_id) IS DISTINCT FROM 'running' THEN
    RAISE EXCEPTION '{PAUSED}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN new;
END $$
""",
    """
CREATE TRIGGER game_states_paused BEFORE INSERT ON game_states FOR EACH ROW
WHEN (new.status = 'paused')
EXECUTE FUNCTION refuse_pause()
""",
    f"""
CREATE FUNCTION refuse_game_state_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' OR EXISTS (SELECT 1 FROM games WHERE id = old.game_id) THEN
    RAISE EXCEPTION '{KEPT}' USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN old;
END $$
""",
    """
CREATE TRIGGER game_states_changed BEFORE UPDATE OR DELETE ON game_states FOR EACH ROW
EXECUTE FUNCTION refuse_game_state_change()
""",
)

# What games on record tell: in the words of the triggers, but for who moved them.
FILL = (
    "INSERT INTO game_states (game_id, status, actor, at) "
    "SELECT id, 'running', 'unknown', started_at FROM games "
    "WHERE started_at IS NOT NULL ORDER BY id",
    "INSERT INTO game_states (game_id, status, reason, actor, at) "
    "SELECT id, status, CASE status WHEN 'completed' THEN termination ELSE void_cause END, "
    "'unknown', COALESCE(finished_at, created_at) FROM games "
    "WHERE status IN ('completed', 'void') ORDER BY id",
)


def upgrade() -> None:
    op.create_table(
        "game_states",
        sa.Column("id", KEY, nullable=False),
        sa.Column("game_id", KEY, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_game_states"),
        sa.ForeignKeyConstraint(
            ["game_id"], ["games.id"], name="fk_game_states_game_id", ondelete="CASCADE"
        ),
        sa.CheckConstraint(
            "status IN ('running', 'paused', 'completed', 'void')", name="ck_game_states_status"
        ),
    )
    for statement in FILL:
        op.execute(statement)
    op.create_index("ix_game_states_game_id", "game_states", ["game_id"])
    op.create_table(
        "execution_logs",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", COMPACT, nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("logger", sa.Text, nullable=False),
        sa.Column("tournament_id", sa.Integer, nullable=True),
        sa.Column("game_id", KEY, nullable=True),
        sa.Column("agent_id", sa.Integer, nullable=True),
        sa.Column("message", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_execution_logs"),
        sa.ForeignKeyConstraint(
            ["tournament_id"],
            ["tournaments.id"],
            name="fk_execution_logs_tournament_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["game_id"], ["games.id"], name="fk_execution_logs_game_id", ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["agent_id"], ["agents.id"], name="fk_execution_logs_agent_id", ondelete="SET NULL"
        ),
        sa.CheckConstraint("level >= 0", name="ck_execution_logs_level"),
        sa.CheckConstraint("logger <> ''", name="ck_execution_logs_logger"),
    )
    op.create_index("ix_execution_logs_tournament_id", "execution_logs", ["tournament_id", "id"])
    op.create_index("ix_execution_logs_game_id", "execution_logs", ["game_id"])
    op.create_index("ix_execution_logs_agent_id", "execution_logs", ["agent_id"])
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    server = op.get_bind().dialect.name == "postgresql"
    of = " ON games" if server else ""
    for trigger in ("games_moved", "games_entered", *(["games_status"] if server else [])):
        op.execute(f"DROP TRIGGER {trigger}{of}")
    op.drop_table("execution_logs")
    op.drop_table("game_states")
    if server:
        for function in (
            "refuse_game_status",
            "add_game_state",
            "add_entered_game_states",
            "refuse_pause",
            "refuse_game_state_change",
        ):
            op.execute(f"DROP FUNCTION {function}()")

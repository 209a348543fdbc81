"""Counters of what agents used and how they behaved, in the place of those of conduct alone.

Revision ID: 0013
"""

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | None = None
depends_on: str | None = None

BEHAVED = [
    "turns", "invalid_actions", "silences", "refusals", "overlongs", "time_limits", "targets",
    "targets_several", "targets_none", "notes", "notes_lost", "decided", "eliminated",
]  # fmt: skip
COUNTS = [
    "seats", "games", "again", *BEHAVED, "observed", "calls", "answered", "failed", "orphans",
    "own_cache", "priced", "unpriced", "prompt_tokens", "response_tokens", "reasoning_tokens",
    "cached_tokens", "cost", "charged", "largest", "votes", "votes_against", "saves", "mortal",
    "survived", "claims_true", "claims_false", "accusations_true", "accusations_false",
]  # fmt: skip
# Counted as the tables before counted it: one game for an agent, whatever its places.
RECOUNTED = (
    "INSERT INTO conduct (tournament_id, agent_id, games, {names}) "
    "SELECT g.tournament_id, p.agent_id, COUNT(DISTINCT g.id), {sums}, "
    "COUNT(DISTINCT CASE WHEN p.decided THEN g.id END), "
    "COUNT(DISTINCT CASE WHEN p.eliminated_turn IS NOT NULL THEN g.id END) "
    "FROM games g JOIN game_players p ON p.game_id = g.id "
    "WHERE g.status = 'completed' AND g.tournament_id IS NOT NULL "
    "GROUP BY g.tournament_id, p.agent_id"
)


def _owners() -> list[sa.Column[int]]:
    return [
        sa.Column("tournament_id", sa.Integer, nullable=False),
        sa.Column("agent_id", sa.Integer, nullable=False),
    ]


def _references(table: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            [f"{noun}_id"], [f"{noun}s.id"], f"fk_{table}_{noun}_id", ondelete="CASCADE"
        )
        for noun in ("tournament", "agent")
    ]


def upgrade() -> None:
    op.create_table(
        "counters",
        *_owners(),
        sa.Column("void", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in COUNTS),
        sa.Column("turn_ms", sa.LargeBinary, nullable=False),
        sa.Column("call_ms", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint(
            "tournament_id", "agent_id", "void", "role", "team", name="pk_counters"
        ),
        *_references("counters"),
    )
    op.create_index("ix_counters_agent_id", "counters", ["agent_id"])
    # Unknown of the tournaments that are on record: they are counted when that is asked for.
    op.add_column("tournaments", sa.Column("counters_version", sa.Integer, nullable=True))
    op.drop_table("conduct")


def downgrade() -> None:
    op.create_table(
        "conduct",
        *_owners(),
        sa.Column("games", sa.Integer, nullable=False),
        *(
            sa.Column(
                name,
                sa.Integer,
                nullable=False,
                server_default=None if name in [*BEHAVED[:6], "decided"] else sa.text("0"),
            )
            for name in BEHAVED
        ),
        sa.PrimaryKeyConstraint("tournament_id", "agent_id", name="pk_conduct"),
        *_references("conduct"),
    )
    op.create_index("ix_conduct_agent_id", "conduct", ["agent_id"])
    names = ", ".join(BEHAVED)
    sums = ", ".join(f"COALESCE(SUM(p.{name}), 0)" for name in BEHAVED[:-2])
    op.execute(RECOUNTED.format(names=names, sums=sums))
    op.drop_table("counters")
    # In place: a copy would lose the checks of the other columns.
    op.execute("ALTER TABLE tournaments DROP COLUMN counters_version")

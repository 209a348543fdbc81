"""What happens in games, as typed events, and the kinds of them that the arena knows.

Revision ID: 0008
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | None = None
depends_on: str | None = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
TIME = sa.DateTime(timezone=True)

# (name, description, schema)
KINDS = [
    (
        "message",
        "The rules or a player put a message before its audience; without `text` it is the "
        "action of the turn, or too long to repeat: it has `chars` characters.",
        {
            "type": "object",
            "properties": {
                "type": {"type": "string"},
                "text": {"type": "string"},
                "chars": {"type": "integer"},
            },
            "required": ["type"],
            "additionalProperties": False,
        },
    ),
    (
        "change",
        "What a turn changed in the state of the rules: by path the value before and after, null "
        "where there is none; `more` counts those that are left out.",
        {
            "type": "object",
            "properties": {
                "paths": {
                    "type": "object",
                    "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2},
                },
                "more": {"type": "integer"},
            },
            "required": ["paths"],
            "additionalProperties": False,
        },
    ),
    (
        "refused",
        "The rules refused the action of the turn; `eliminated` when they threw the player out.",
        {
            "type": "object",
            "properties": {"eliminated": {"type": "boolean"}},
            "required": [],
            "additionalProperties": False,
        },
    ),
    (
        "result",
        "The rules gave a result: `winners`, none for a draw; `condition` where the game names "
        "how it is won.",
        {
            "type": "object",
            "properties": {
                "winners": {"type": "array", "items": {"type": "integer"}},
                "reason": {"type": "string"},
                "condition": {"type": "string"},
            },
            "required": ["winners"],
            "additionalProperties": False,
        },
    ),
    (
        "phase",
        "A phase of the game begins.",
        {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    ),
    (
        "speech",
        "A player speaks: its words are the action of the turn.",
        {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    ),
    (
        "vote",
        "A player votes for another one to be put out.",
        {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    ),
    (
        "kill_choice",
        "One of those who kill by night chooses a victim.",
        {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    ),
    (
        "protect",
        "A player protects another one; `saved` when that one would have died.",
        {
            "type": "object",
            "properties": {"saved": {"type": "boolean"}},
            "required": ["saved"],
            "additionalProperties": False,
        },
    ),
    (
        "investigate",
        "A player learns of another one: `found` is what it is told.",
        {
            "type": "object",
            "properties": {"found": {"type": "string"}},
            "required": ["found"],
            "additionalProperties": False,
        },
    ),
    (
        "saved",
        "A player that was chosen to die lives: who protected it.",
        {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    ),
    (
        "eliminate",
        "A player is out: by `vote`, `night` or `error`, or as the game calls it.",
        {
            "type": "object",
            "properties": {
                "cause": {"type": "string"},
                "role": {"type": "string"},
                "team": {"type": "string"},
            },
            "required": ["cause"],
            "additionalProperties": False,
        },
    ),
    (
        "deal",
        "A player is dealt cards or dice.",
        {
            "type": "object",
            "properties": {"cards": {"type": "array", "items": {"type": "string"}}},
            "required": ["cards"],
            "additionalProperties": False,
        },
    ),
    (
        "bet",
        "A player puts chips into the pot: `how` is bet, raise or blind.",
        {
            "type": "object",
            "properties": {
                "amount": {"type": "number"},
                "how": {"type": "string"},
                "pot": {"type": "number"},
            },
            "required": ["amount", "how"],
            "additionalProperties": False,
        },
    ),
    (
        "call",
        "A player matches a bet with `amount`; with dice, it doubts the last bid, of which there "
        "were `actual`, and `loser` loses a die.",
        {
            "type": "object",
            "properties": {
                "amount": {"type": "number"},
                "pot": {"type": "number"},
                "actual": {"type": "integer"},
                "loser": {"type": "integer"},
            },
            "required": [],
            "additionalProperties": False,
        },
    ),
    (
        "check",
        "A player passes without a bet.",
        {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    ),
    (
        "fold",
        "A player gives up its hand.",
        {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    ),
    (
        "showdown",
        "Hands are shown: cards by player.",
        {
            "type": "object",
            "properties": {
                "hands": {
                    "type": "object",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                },
                "board": {"type": "array", "items": {"type": "string"}},
            },
            "required": ["hands"],
            "additionalProperties": False,
        },
    ),
    (
        "pot",
        "A player wins `amount` from the pot.",
        {
            "type": "object",
            "properties": {"amount": {"type": "number"}},
            "required": ["amount"],
            "additionalProperties": False,
        },
    ),
    (
        "bid",
        "A player bids `amount`; on an `item`, or on dice that show `face`.",
        {
            "type": "object",
            "properties": {
                "amount": {"type": "number"},
                "item": {"type": "string"},
                "face": {"type": "integer"},
            },
            "required": ["amount"],
            "additionalProperties": False,
        },
    ),
    (
        "decision",
        "A player decides in a round; its target is the player that it decides about, where the "
        "game asks for one.",
        {
            "type": "object",
            "properties": {"choice": {"type": ["string", "number"]}},
            "required": ["choice"],
            "additionalProperties": False,
        },
    ),
    (
        "payoff",
        "A round pays a player `amount`, which makes `total`.",
        {
            "type": "object",
            "properties": {"amount": {"type": "number"}, "total": {"type": "number"}},
            "required": ["amount", "total"],
            "additionalProperties": False,
        },
    ),
    (
        "allocate",
        "A player divides its units over the fields.",
        {
            "type": "object",
            "properties": {
                "units": {"type": "object", "additionalProperties": {"type": "integer"}}
            },
            "required": ["units"],
            "additionalProperties": False,
        },
    ),
    (
        "offer",
        "A player makes an offer to another one: what it gives and wants, or an amount.",
        {
            "type": "object",
            "properties": {
                "gives": {"type": "object"},
                "wants": {"type": "object"},
                "amount": {"type": "number"},
                "terms": {"type": ["object", "string"]},
            },
            "required": [],
            "additionalProperties": False,
        },
    ),
    (
        "accept",
        "A player accepts the offer of another one.",
        {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    ),
    (
        "reject",
        "A player rejects the offer of another one.",
        {"type": "object", "properties": {}, "required": [], "additionalProperties": False},
    ),
    (
        "trade",
        "An offer was carried out: what its maker gave and got.",
        {
            "type": "object",
            "properties": {"gives": {"type": "object"}, "gets": {"type": "object"}},
            "required": [],
            "additionalProperties": False,
        },
    ),
    (
        "clue",
        "A player gives a clue for `word`.",
        {
            "type": "object",
            "properties": {"word": {"type": "string"}, "count": {"type": "integer"}},
            "required": [],
            "additionalProperties": False,
        },
    ),
    (
        "guess",
        "A player guesses.",
        {
            "type": "object",
            "properties": {"guess": {"type": "string"}, "correct": {"type": "boolean"}},
            "required": ["guess", "correct"],
            "additionalProperties": False,
        },
    ),
    (
        "move",
        "A player moves, in the words of the rules.",
        {
            "type": "object",
            "properties": {"move": {"type": "string"}},
            "required": ["move"],
            "additionalProperties": False,
        },
    ),
    (
        "capture",
        "A move takes pieces from the board, or turns them over.",
        {
            "type": "object",
            "properties": {"piece": {"type": "string"}, "count": {"type": "integer"}},
            "required": ["piece", "count"],
            "additionalProperties": False,
        },
    ),
    (
        "board",
        "The fields of the board that a turn changed: what stood there, what stands there now.",
        {
            "type": "object",
            "properties": {
                "fields": {
                    "type": "object",
                    "additionalProperties": {"type": "array", "minItems": 2, "maxItems": 2},
                }
            },
            "required": ["fields"],
            "additionalProperties": False,
        },
    ),
    (
        "claim",
        "A player says what it is, or what it knows of its target. Read from text by `reader`, "
        "which may be wrong.",
        {
            "type": "object",
            "properties": {
                "role": {"type": "string"},
                "team": {"type": "string"},
                "denies": {"type": "boolean"},
                "reader": {"type": "string"},
            },
            "required": ["reader"],
            "additionalProperties": False,
        },
    ),
    (
        "accusation",
        "A player speaks against its target. Read from text by `reader`, which may be wrong.",
        {
            "type": "object",
            "properties": {"reader": {"type": "string"}},
            "required": ["reader"],
            "additionalProperties": False,
        },
    ),
    (
        "belief",
        "How strongly a player suspects its target, from 0 to 1, by the notes that it keeps.",
        {
            "type": "object",
            "properties": {"suspicion": {"type": "number"}},
            "required": ["suspicion"],
            "additionalProperties": False,
        },
    ),
]


def upgrade() -> None:
    op.add_column("games", sa.Column("events_version", sa.Integer, nullable=True))
    op.add_column("games", sa.Column("events_error", sa.Text, nullable=True))
    types = op.create_table(
        "event_types",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("schema", JSON, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event_types"),
        sa.UniqueConstraint("name", name="uq_event_types_name"),
    )
    op.create_table(
        "game_events",
        sa.Column("game_id", KEY, nullable=False, autoincrement=False),
        sa.Column("seq", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("turn", sa.Integer, nullable=True),
        sa.Column("day", sa.Integer, nullable=True),
        sa.Column("phase", sa.Text, nullable=True),
        sa.Column("kind", sa.Integer, nullable=False),
        sa.Column("source", sa.Integer, nullable=True),
        sa.Column("target", sa.Integer, nullable=True),
        sa.Column("audience", sa.BigInteger, nullable=True),
        sa.Column("data", JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["game_id"], ["games.id"], name="fk_game_events_game_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["kind"], ["event_types.id"], name="fk_game_events_kind", ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("game_id", "seq", name="pk_game_events"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_game_events_kind_source", "game_events", ["kind", "source"])
    targeted = sa.text("target IS NOT NULL")
    op.create_index(
        "ix_game_events_kind_target",
        "game_events",
        ["kind", "target"],
        sqlite_where=targeted,
        postgresql_where=targeted,
    )
    moment = datetime.now(UTC)
    op.bulk_insert(
        types,
        [
            {"name": name, "description": said, "schema": schema, "created_at": moment}
            for name, said, schema in KINDS
        ],
    )


def downgrade() -> None:
    op.drop_table("game_events")
    op.drop_table("event_types")
    # In place: a copy would lose the checks of the other columns.
    op.execute("ALTER TABLE games DROP COLUMN events_version")
    op.execute("ALTER TABLE games DROP COLUMN events_error")

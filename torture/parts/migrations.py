"""Migrations killed at random instants, on databases with rows in them (`torture.migrations`)."""

from __future__ import annotations

from torture import migrations
from torture.databases import KINDS
from torture.harness import Harness
from torture.rows import Row

PART = "migrations"
KILLS = 20

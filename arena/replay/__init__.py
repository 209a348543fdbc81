"""Games played again from their record: checked, branched, compared."""

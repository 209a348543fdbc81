"""Tools that come with the arena: one file each, found by their names."""

"""The statistics of comparisons: pure mathematics on plain numbers, no database and no agents."""

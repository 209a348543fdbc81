"""The local pages: they draw what reports, stored boards and queries say, and compute nothing."""

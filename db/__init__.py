"""The Arena's database."""

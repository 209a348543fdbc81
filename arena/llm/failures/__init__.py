"""What can go wrong with a call: its kind, its remedy, and when to try again."""

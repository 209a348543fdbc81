"""What the arena makes of answers as real models give them, in figures: `make real`."""

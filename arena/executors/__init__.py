"""Ways to run many games at once, found by entry point."""

"""Search in what was said: words, the store that finds them, and what fills it."""

"""The rules that can be played; each is found by its entry point, never imported from here."""

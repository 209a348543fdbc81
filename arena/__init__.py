"""The Arena: tournaments between language-model agents on text games."""

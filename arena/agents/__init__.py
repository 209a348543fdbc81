"""The ways of thinking that come with the arena, one module each."""

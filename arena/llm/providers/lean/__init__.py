"""The lean path: what a library would send is learned once, and then sent without it."""

"""Rating systems: what a finished game says of the agents in it. They never see a database."""

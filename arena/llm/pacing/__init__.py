"""How fast a provider may be asked: concurrency, rate limits, breakers, waiting."""

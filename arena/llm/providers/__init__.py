"""Who answers calls: one file for each provider, and what they share."""

"""Models that are programs: they answer a conversation through LiteLLM as a provider would."""

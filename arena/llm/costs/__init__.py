"""What calls cost: prices, the worst case, the budget."""

"""Fits of all games at once: design matrices, likelihoods, Laplace's approximation."""

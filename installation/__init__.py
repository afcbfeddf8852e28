"""Afterimage plays a film as a neural network remembers it."""

"""Checkpoints become graphs, their faster forms, and a model folder that says what it is."""

"""The one training loop, whatever the recipe, and all it needs to survive."""

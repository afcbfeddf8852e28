"""The recipes: one small file each, with its source. `presets` lists them."""

"""How fast everything is here: decoding, upscaling, playing, learning, a flood of orders."""

"""OSC itself: packets, framings, address patterns. Pure, and of no show."""

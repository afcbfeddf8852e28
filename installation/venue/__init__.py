"""The room around the picture: autostart, watchdog, doctor."""

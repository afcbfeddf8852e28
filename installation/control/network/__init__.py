"""Sockets and connections of the control thread."""

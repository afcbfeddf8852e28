"""Packets that nobody should send, by the million: `python -m tests.control.fuzz --help`."""

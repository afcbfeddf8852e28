"""Sockets and servers of the control thread, and who may ask how much of them."""

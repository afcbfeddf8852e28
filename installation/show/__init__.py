"""What plays when. Pure: no files, no sockets, no GL; imports only the clock and the errors."""

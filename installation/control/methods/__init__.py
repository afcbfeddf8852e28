"""The one table of methods, and how its arguments are read. Pure."""

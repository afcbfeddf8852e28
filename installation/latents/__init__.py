"""A film as numbers: footage, streams, mixing, live sources."""

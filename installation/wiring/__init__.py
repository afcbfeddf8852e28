"""The rooms put together, one module for each command; the only place where everything meets."""

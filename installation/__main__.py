"""`python -m installation` is `afterimage`."""

from installation.cli import main

main()

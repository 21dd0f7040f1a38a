"""`python -m biosense` is the command `biosense`."""

from biosense.cli.app import main

main()

"""`python -m xenbind` is `xenbind`."""

from .cli import main

main(prog_name="xenbind")

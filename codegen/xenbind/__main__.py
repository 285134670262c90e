"""`python -m xenbind` is `xenbind`."""

from xenbind.cli import main

main(prog_name="xenbind")

"""How every command speaks: progress and tables on standard error, JSON on standard output."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

# No markup and no emoji: names of streams and files may hold brackets and colons.
console = Console(stderr=True, highlight=False, markup=False, emoji=False)


def say_error(error: object) -> None:
    """Print a one-line reason."""
    text = " ".join(str(error).split())
    console.print(Text.assemble(("error: ", "bold red"), text), soft_wrap=True)


def say_warning(text: str, about: str = "!") -> None:
    """Print what a person should know, and what it is about."""
    console.print(Text.assemble((f"{about} ", "yellow"), text), soft_wrap=True)


def print_json(line: str) -> None:
    """Print one JSON object as the last line of standard output."""
    print(line, flush=True)

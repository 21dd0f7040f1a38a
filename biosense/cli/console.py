"""How every command speaks: progress and tables on standard error, JSON on standard output."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

console = Console(stderr=True, highlight=False)


def say_error(error: object) -> None:
    """Print a one-line reason."""
    text = " ".join(str(error).split())
    console.print(f"[bold red]error:[/] {escape(text)}", soft_wrap=True)


def print_json(line: str) -> None:
    """Print one JSON object as the last line of standard output."""
    print(line, flush=True)

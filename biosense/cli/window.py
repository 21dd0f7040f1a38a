"""`biosense window`: the window of a run that goes on in another process."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from biosense.cli.options import Lan
from biosense.core.errors import MissingExtra


def window(
    address: Annotated[str, typer.Argument(help="Control address of the run.")],
    lan: Lan = False,
    screenshot: Annotated[
        Path | None, typer.Option(hidden=True, help="Save a picture here, and close.")
    ] = None,
    after: Annotated[
        float, typer.Option(hidden=True, min=0.1, help="Seconds until the picture.")
    ] = 20.0,
) -> None:
    """Show a run; its token comes in the variable BIOSENSE_CONTROL_TOKEN."""
    token = os.environ.get("BIOSENSE_CONTROL_TOKEN")
    if token is None:
        raise typer.BadParameter("the run's token must be in BIOSENSE_CONTROL_TOKEN")
    try:
        from biosense.gui.app import show
    except ImportError as error:
        raise MissingExtra(
            f"the window needs Qt, which could not be loaded ({error}): "
            f"pip install 'biosense[gui]', or run with --headless"
        ) from error
    raise typer.Exit(show(address, token, lan=lan, screenshot=screenshot, after=after))

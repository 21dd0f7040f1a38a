"""`biosense window`: the window of a run that goes on in another process."""

from __future__ import annotations

import os
from typing import Annotated

import typer


def window(
    address: Annotated[str, typer.Argument(help="Control address of the run.")],
) -> None:
    """Show a run; its token comes in the variable BIOSENSE_CONTROL_TOKEN."""
    token = os.environ.get("BIOSENSE_CONTROL_TOKEN")
    if token is None:
        raise typer.BadParameter("the run's token must be in BIOSENSE_CONTROL_TOKEN")
    from biosense.gui.app import show

    raise typer.Exit(show(address, token))

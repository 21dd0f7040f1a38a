"""The command `biosense`: one sub-command a file, errors as one line, exit codes as documented."""

from __future__ import annotations

import logging
import sys
from typing import Annotated

import typer

from biosense import __version__
from biosense.cli import (
    calibrate,
    check,
    datasets,
    demo,
    devices,
    estimate,
    evaluate,
    export,
    export_model,
    live,
    plugins,
    replay,
    simulate,
    study,
    train,
    window,
)
from biosense.cli.console import console, say_error
from biosense.core.errors import BiosenseError
from biosense.core.extras import EXTRAS, missing_extra

app = typer.Typer(
    help="Continuous valence and arousal from EEG, ECG, EDA, PPG and a webcam.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("demo")(demo.demo)
app.command("devices")(devices.devices)
app.command("live")(live.live)
app.command("replay")(replay.replay)
app.command("estimate")(estimate.estimate)
app.command("check")(check.check)
app.command("export")(export.export)
app.command("train")(train.train)
app.command("datasets")(datasets.datasets)
app.command("plugins")(plugins.plugins)
app.command("study")(study.study)
app.command("evaluate")(evaluate.evaluate)
app.command("calibrate")(calibrate.calibrate)
app.command("export-model")(export_model.export_model)
app.command("simulate")(simulate.simulate)
app.command("window", hidden=True)(window.window)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"biosense {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option(help="Show log messages and tracebacks.")] = False,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Take what goes before the command."""
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.ERROR,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


def main() -> None:
    """Run the command line; exit 0 done, 2 wrong use, 1 anything else with a one-line reason."""
    try:
        app(standalone_mode=True)
    except Exception as error:  # noqa: BLE001 - the last stop: every error ends as one line
        say_error(_reason(error))
        if "--debug" in sys.argv[1:]:
            console.print_exception()
        raise SystemExit(1) from None


def _reason(error: Exception) -> str:
    notes = "".join(f" ({note})" for note in getattr(error, "__notes__", ()))
    if isinstance(error, BiosenseError | OSError):
        return f"{error}{notes}"
    if isinstance(error, ModuleNotFoundError) and error.name and error.name in EXTRAS:
        return str(missing_extra(error.name))
    kind = type(error).__name__
    return f"a fault of biosense itself, {kind}: {error}{notes}; `biosense --debug ..` says where"

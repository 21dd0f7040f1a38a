"""Open the window on a run, as a process of its own."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from biosense.acquisition.lsl.clock import LslClock
from biosense.acquisition.lsl.config import configure
from biosense.core.errors import BiosenseError
from biosense.gui.connection.control_client import ControlLink
from biosense.gui.connection.lsl_feed import LslFeed
from biosense.gui.state.window_state import WindowState
from biosense.gui.widgets.window import MainWindow

SIZE = (1280, 800)


def show(
    address: str,
    token: str,
    *,
    lan: bool = False,
    screenshot: Path | None = None,
    after: float = 20.0,
) -> int:
    """Show a run until the window is closed; returns the exit status.

    Parameters
    ----------
    address, token
        Of the run's control socket.
    lan
        Read streams of other computers too: as the run itself does.
    screenshot, after
        Save a picture of the window after that many seconds, and close it; the run is not stopped.

    Returns
    -------
    int
        0 where all went well.

    Raises
    ------
    BiosenseError
        When the picture cannot be written.
    """
    configure(lan=lan)
    application = QApplication.instance() or QApplication([sys.argv[0]])
    assert isinstance(application, QApplication)
    application.setApplicationName("biosense")
    clock = LslClock()
    window = MainWindow(WindowState(clock), ControlLink(address, token), LslFeed(clock))
    # Python sees signals between two frames; the run ends its window by SIGTERM.
    ends = {end: signal.signal(end, lambda *_: window.leave()) for end in _SIGNALS}
    window.resize(*SIZE)
    window.show()
    try:
        if screenshot is not None:
            QTimer.singleShot(int(after * 1000), window, lambda: _shoot(window, screenshot))
        status = application.exec()
    finally:
        window.release()
        for end, before in ends.items():
            signal.signal(end, before)
    if screenshot is not None and not screenshot.is_file():
        raise BiosenseError(f"the picture could not be written to {str(screenshot)!r}")
    return int(status)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _shoot(window: MainWindow, screenshot: Path) -> None:
    window.grab().save(str(screenshot))
    window.leave()

"""The words of the top bar: how long, whether it records, whose, with which model. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from biosense.gui.state.banners import Level, Phase
from biosense.gui.state.event_log import clock_words
from biosense.live.output.status import RunStatus

_DEMO_MODELS = ("demo",)  # the shipped names of the demonstration


@dataclass(frozen=True)
class Headline:
    """Hold the words of the top bar; `recording_level` is ERROR, GOOD (it records) or QUIET."""

    elapsed: str
    recording: str
    recording_level: Level
    participant: str
    model: str
    demonstration: bool


def headline_of(status: RunStatus | None, phase: Phase, now: float) -> Headline:
    """Decide the words of the top bar.

    Parameters
    ----------
    status
        The newest one; None before the first.
    phase
        How the run stands.
    now
        Session time, seconds: while the run is live, its clock goes on between two statuses.

    Returns
    -------
    Headline
        The words.

    Examples
    --------
    >>> headline_of(RunStatus(10.0, 61.0, (), recording="lab/P1"), Phase.LIVE, 11.0).elapsed
    '01:02'
    """
    if status is None:
        return Headline("--:--", "not connected", Level.QUIET, "", "", False)
    passed = now - status.time if phase is Phase.LIVE else 0.0
    recording, level = _recording(status)
    model = Path(status.model).stem
    return Headline(
        clock_words(status.elapsed + max(passed, 0.0)),
        recording,
        level if phase is Phase.LIVE or level is Level.ERROR else Level.QUIET,
        status.participant,
        f"model {model}" if model else "no model",
        status.model in _DEMO_MODELS,
    )


def _recording(status: RunStatus) -> tuple[str, Level]:
    if status.recording_failed:
        return "✕ RECORDING FAILED", Level.ERROR
    if status.recording:
        return f"● recording  {Path(status.recording).name}", Level.GOOD
    left = status.preflight
    return "not recording" if left is None else f"checking signals, {left:.0f} s", Level.QUIET

"""What is said loudly, above everything else, and in which words. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from biosense.gui.state.stream_rows import lost_streams
from biosense.live.output.status import RunStatus


class Level(StrEnum):
    """Say how loud something is."""

    QUIET = "quiet"
    GOOD = "good"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class Phase(StrEnum):
    """Say how the run stands, as far as the window can tell."""

    CONNECTING = "connecting"
    LIVE = "live"
    SILENT = "silent"
    ENDED = "ended"


@dataclass(frozen=True)
class Banner:
    """Hold one line of warning."""

    level: Level
    text: str


def banners_of(
    phase: Phase, status: RunStatus | None, silence: float, estimate_age: float | None
) -> tuple[Banner, ...]:
    """Decide what must be said now, the worst first.

    Parameters
    ----------
    phase
        How the run stands.
    status
        The newest one.
    silence
        Seconds since it came.
    estimate_age
        Seconds since the newest estimate where they have stopped; None where they come.

    Returns
    -------
    tuple of Banner
        The worst first.

    Examples
    --------
    >>> banners_of(Phase.SILENT, None, 3.2, None)[0].text
    'no word from the run for 3 s: it hangs or has lost its socket. What you see is old.'
    """
    said = [_of_link(phase, silence)]
    if status is not None:
        said.append(_of_recording(status, phase))
        if phase is Phase.LIVE:
            said += [_of_streams(status), _of_estimate(estimate_age)]
    order = list(reversed(Level))
    return tuple(
        sorted((banner for banner in said if banner), key=lambda banner: order.index(banner.level))
    )


def _of_link(phase: Phase, silence: float) -> Banner | None:
    if phase is Phase.CONNECTING and silence > 2.0:
        return Banner(Level.WARN, f"waiting for the run since {silence:.0f} s")
    if phase is Phase.SILENT:
        text = f"no word from the run for {silence:.0f} s: it hangs or has lost its socket."
        return Banner(Level.ERROR, f"{text} What you see is old.")
    if phase is Phase.ENDED:
        return Banner(Level.ERROR, "run ended: nothing is measured any more. What you see is old.")
    return None


def _of_recording(status: RunStatus, phase: Phase) -> Banner | None:
    if not status.recording_failed:
        return None
    now = ", nothing is being saved" if phase is Phase.LIVE else ""
    return Banner(Level.ERROR, f"RECORDING FAILED{now}: {status.recording_failed}")


def _of_streams(status: RunStatus) -> Banner | None:
    lost = lost_streams(status)
    if not lost:
        return None
    names = ", ".join(
        f"{stream.name} ({stream.age:.0f} s)" if stream.samples else f"{stream.name} (no sample)"
        for stream in lost
    )
    return Banner(Level.WARN, f"lost: {names}. The run goes on.")


def _of_estimate(age: float | None) -> Banner | None:
    if age is None:
        return None
    return Banner(Level.WARN, f"no new estimate for {age:.0f} s")

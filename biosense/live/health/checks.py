"""What the health of a stream, and the disk, show to be wrong: for the pre-flight."""

from __future__ import annotations

import math
import shutil
from pathlib import Path

from biosense.core.stream_status import StreamState, StreamStatus
from biosense.live.config.preflight_settings import PreflightSettings
from biosense.live.health.signal_checks import Finding, Severity

_SLOW = 0.5  # share of the nominal rate below which a stream cannot be used
_LOSSY = 10.0  # times the accepted loss from which on it cannot be used
_DRIFT_PPM = 300.0  # crystals are far better
_EMPTY = 0.05  # a battery that may not last for half an hour
_HOUR_S, _SHORT_S = 3600.0, 600.0

Fault = tuple[Severity, str]


def check_stream(
    status: StreamStatus, settings: PreflightSettings, seconds: float
) -> list[Finding]:
    """Look at the health of a stream after `seconds`: what comes, and what its device says.

    Parameters
    ----------
    status
        How the stream does.
    settings
        What is accepted.
    seconds
        For how long it was listened to.

    Returns
    -------
    list of Finding
        What is wrong; empty where nothing is.

    Examples
    --------
    >>> from biosense.core import StreamInfo
    >>> from biosense.estimation.stream_health import StreamHealth
    >>> silent = StreamHealth(StreamInfo("strap", None, ("ecg",), 130.0)).status(0.0)
    >>> [str(found) for found in check_stream(silent, PreflightSettings(), 5.0)]
    ['strap: missing: no sample within 5 s']
    """
    found = [
        *_missing(status, seconds),
        *_slow(status, settings),
        *_lossy(status, settings),
        *_drifting(status, settings),
        *_unwell(status, settings),
    ]
    return [Finding(status.name, severity, text) for severity, text in found]


def in_words(status: StreamStatus) -> str:
    """Say how a stream comes.

    Parameters
    ----------
    status
        How the stream does.

    Returns
    -------
    str
        Its rate, or its samples so far.
    """
    if not status.nominal_hz or math.isnan(status.rate_hz):
        kind = f"{status.nominal_hz:g} Hz" if status.nominal_hz else "irregular"
        return f"{kind}, samples so far: {status.samples}"
    return f"{status.rate_hz:.1f} of {status.nominal_hz:g} Hz"


def check_disk(folder: Path, rate: float, seconds: float | None) -> list[Finding]:
    """Look whether there is room for the recording.

    Parameters
    ----------
    folder
        Where it is to be made; it need not exist yet.
    rate
        Bytes per second.
    seconds
        Length of the run; None where it is not known.

    Returns
    -------
    list of Finding
        What is wrong; empty where there is room.
    """
    there = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(there).free
    room = free / rate if rate > 0 else math.inf
    text = f"the disk of {there} has room for {room / 60:.0f} min ({free / 1e6:.0f} MB)"
    if room < (_SHORT_S if seconds is None else seconds):
        return [Finding("", Severity.FAIL, text)]
    if room < (_HOUR_S if seconds is None else 1.2 * seconds):
        return [Finding("", Severity.WARN, text)]
    return []


def _missing(status: StreamStatus, seconds: float) -> list[Fault]:
    if status.state is StreamState.ENDED:
        return [(Severity.FAIL, "it has ended already")]
    if status.nominal_hz and not status.samples:
        return [(Severity.FAIL, f"missing: no sample within {seconds:.0f} s")]
    if status.state is StreamState.LOST:
        silent = f" for {status.age:.0f} s" if status.samples else ""
        return [(Severity.FAIL, f"lost: nothing comes{silent}")]
    return []


def _slow(status: StreamStatus, settings: PreflightSettings) -> list[Fault]:
    if not status.nominal_hz or math.isnan(status.rate_hz):
        return []
    share = status.rate_hz / status.nominal_hz
    rates = f"{status.rate_hz:.1f} of {status.nominal_hz:g} Hz"
    if share < settings.min_rate:
        return [(Severity.FAIL if share < _SLOW else Severity.WARN, f"slow: {rates}")]
    if share > 2 - settings.min_rate:
        return [(Severity.WARN, f"faster than it says: {rates}")]
    return []


def _lossy(status: StreamStatus, settings: PreflightSettings) -> list[Fault]:
    share = status.lost / max(status.lost + status.samples, 1)
    if share <= settings.max_loss:
        return []
    severity = Severity.FAIL if share > _LOSSY * settings.max_loss else Severity.WARN
    return [(severity, f"lossy: {share:.1%} of its samples are missing, in {status.gaps} gaps")]


def _drifting(status: StreamStatus, settings: PreflightSettings) -> list[Fault]:
    found = []
    if 1000 * status.residual > settings.max_clock_ms:
        text = f"its clock is known to {1000 * status.residual:.0f} ms only"
        found.append((Severity.WARN, text))
    if abs(status.drift_ppm) > _DRIFT_PPM:
        found.append((Severity.WARN, f"drifting: its clock is off by {status.drift_ppm:.0f} ppm"))
    return found


def _unwell(status: StreamStatus, settings: PreflightSettings) -> list[Fault]:
    found = []
    if status.contact is False:
        found.append((Severity.FAIL, "no contact with the skin"))
    if status.battery is not None and status.battery < settings.min_battery:
        severity = Severity.FAIL if status.battery < _EMPTY else Severity.WARN
        found.append((severity, f"low battery: {status.battery:.0%}"))
    return found

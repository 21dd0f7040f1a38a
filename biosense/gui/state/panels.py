"""What of each stream is drawn: which channels, in which order, on which scale. No Qt."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from biosense.core.camera_streams import FACE_CHANNELS, RPPG_COLOURS
from biosense.core.stream_status import StreamStatus
from biosense.core.types import Floats, Modality
from biosense.processing.eeg.montage import read_montage

Take = Callable[[Floats], Floats]  # samples (n, channels) -> what is drawn (n, lanes)

ORDER = (
    Modality.EEG,
    Modality.ECG,
    Modality.PPG,
    Modality.RPPG,
    Modality.EDA,
    Modality.RESP,
    Modality.EMG,
    Modality.TEMP,
    Modality.FACE,
)
MOST_EEG, MOST_OTHER = 8, 2  # lanes of one stream
_SITES = ("FP1", "F3", "F4", "C3", "C4", "P3", "O1", "O2")
_SITE = re.compile(r"^(?:EEG[ _:-]*)?([A-Z]+[0-9Z]*)")
_PERCENT = 100.0

WORDS = {
    Modality.EEG: "EEG",
    Modality.ECG: "ECG",
    Modality.PPG: "PPG",
    Modality.RPPG: "rPPG",
    Modality.EDA: "EDA",
    Modality.RESP: "breathing",
    Modality.EMG: "EMG",
    Modality.TEMP: "temperature",
    Modality.FACE: "face",
}


@dataclass(frozen=True)
class TraceStyle:
    """Say how a modality is drawn.

    `band` in Hz is a causal filter for the eye only (0: that side is open), behind which there is
    no level any more: the scale is told by a bar instead of two numbers. `shared` gives all lanes
    one scale around zero. `height` is the share of a lane; the scale never becomes finer than
    `least`, in `unit`; an empty `unit` is that of the sender.
    """

    unit: str
    factor: float
    band: tuple[float, float]
    shared: bool
    height: float
    least: float


# Cut-offs are the habit of bedside monitors: 0.5 Hz takes the drift and leaves the complex.
_STYLES = {
    Modality.EEG: TraceStyle("µV", 1e6, (0.5, 0.0), True, 1.0, 20.0),
    Modality.ECG: TraceStyle("mV", 1e3, (0.5, 0.0), False, 2.4, 0.1),
    Modality.PPG: TraceStyle("", 1.0, (0.5, 8.0), False, 1.8, 1e-9),
    Modality.RPPG: TraceStyle("", 1.0, (0.7, 4.0), False, 1.8, 0.05),
    Modality.EDA: TraceStyle("µS", 1e6, (0.0, 0.0), False, 1.8, 0.2),
    Modality.RESP: TraceStyle("", 1.0, (0.05, 0.0), False, 1.6, 1e-9),
    Modality.EMG: TraceStyle("µV", 1e6, (10.0, 0.0), True, 1.2, 5.0),
    Modality.TEMP: TraceStyle("°C", 1.0, (0.0, 0.0), False, 1.2, 0.5),
    Modality.FACE: TraceStyle("", 1.0, (0.0, 0.0), False, 1.2, 0.1),
}
_BASE_UNITS = {"µV": "V", "mV": "V", "µS": "S", "°C": "degC"}


@dataclass(frozen=True)
class Panel:
    """Describe how one stream is drawn: `lanes` are labels, one trace each.

    `unit` is that of what is drawn where it is computed, None where it is the stream's own.
    """

    stream: str
    modality: Modality
    title: str
    lanes: tuple[str, ...]
    style: TraceStyle
    take: Take
    unit: str | None = None

    @property
    def floats(self) -> bool:
        """True where the traces have lost their level to a filter."""
        return self.style.band[0] > 0

    @property
    def height(self) -> float:
        """Share of the display's height."""
        return self.style.height * len(self.lanes)


def panel_of(stream: StreamStatus) -> Panel | None:
    """Decide how a stream is drawn; None where it is not.

    Parameters
    ----------
    stream
        As the run describes it.

    Returns
    -------
    Panel or None
        How it is drawn.

    Examples
    --------
    >>> from biosense.core.stream_status import StreamState
    >>> numbers = (4.0, 4.0, 9, 0.1, 0, 0, 0.0, 0.0, 0.0, 1.0, StreamState.GOOD)
    >>> panel = panel_of(StreamStatus("wrist", "eda", ("eda",), "uS", *numbers))
    >>> panel.title, panel.lanes, panel.style.unit
    ('EDA', ('EDA',), 'µS')
    """
    if stream.modality not in ORDER:
        return None
    modality = Modality(stream.modality)
    lanes, take, unit = _lanes(modality, stream.channels)
    title = WORDS[modality]
    if modality is Modality.EEG and len(lanes) < len(stream.channels):
        title = f"EEG {len(lanes)} of {len(stream.channels)}"
    return Panel(stream.name, modality, title, lanes, _STYLES[modality], take, unit)


def panels_of(streams: Sequence[StreamStatus]) -> tuple[Panel, ...]:
    """Return the panels from top to bottom: by modality, then as the run lists them.

    Parameters
    ----------
    streams
        As the run describes them.

    Returns
    -------
    tuple of Panel
        From top to bottom.
    """
    panels = [panel for stream in streams if (panel := panel_of(stream)) is not None]
    return tuple(sorted(panels, key=lambda panel: ORDER.index(panel.modality)))


def screen_unit(style: TraceStyle, unit: str) -> tuple[str, float]:
    """Return the unit on screen, and the factor that gets there from a stream's SI unit.

    >>> screen_unit(_STYLES[Modality.ECG], "V"), screen_unit(_STYLES[Modality.ECG], "counts")
    (('mV', 1000.0), ('counts', 1.0))
    """
    wanted = _BASE_UNITS.get(style.unit)
    if wanted is None:
        return unit, 1.0
    return (style.unit, style.factor) if unit == wanted else (unit, 1.0)


def choose_eeg(channels: Sequence[str]) -> tuple[int, ...]:
    """Return the positions of up to 8 channels that stand for all regions of the head.

    Parameters
    ----------
    channels
        Labels.

    Returns
    -------
    tuple of int
        Positions.

    Examples
    --------
    >>> choose_eeg(("Oz", "C4", "Fp1", "AUX"))
    (0, 1, 2)
    """
    eeg = [int(at) for at in np.flatnonzero(read_montage(channels).eeg)] or list(
        range(len(channels))
    )
    if len(eeg) <= MOST_EEG:
        return tuple(eeg)
    sites = {_site(channels[at]): at for at in reversed(eeg)}
    chosen = [sites[site] for site in _SITES if site in sites]
    rest = [at for at in eeg if at not in chosen]
    missing = MOST_EEG - len(chosen)
    spread = np.linspace(0, len(rest) - 1, missing).round().astype(int).tolist()
    return (*chosen, *(rest[at] for at in spread))


def _site(channel: str) -> str:
    match = _SITE.match(channel.upper())
    return match.group(1) if match else channel.upper()


def _lanes(
    modality: Modality, channels: tuple[str, ...]
) -> tuple[tuple[str, ...], Take, str | None]:
    if modality is Modality.RPPG and channels[: len(RPPG_COLOURS)] == RPPG_COLOURS:
        return ("forehead",), partial(_pulse, column=channels.index("forehead_g")), "%"
    if modality is Modality.FACE and channels == FACE_CHANNELS:
        return ("eye opening", "smile width"), _face, ""
    if modality is Modality.EEG:
        chosen = choose_eeg(channels)
    else:
        chosen = tuple(range(min(len(channels), MOST_OTHER)))
    names = tuple(channels[at] for at in chosen)
    if len(names) == 1:
        names = (WORDS[modality],)
    return names, partial(_pick, columns=chosen), None


def _pick(data: Floats, *, columns: tuple[int, ...]) -> Floats:
    return data[:, columns]


def _pulse(data: Floats, *, column: int) -> Floats:
    """Return darkening in percent: blood absorbs light, so a pulse points upwards."""
    light = data[:, column]
    darkening: Floats = -_PERCENT * np.log(np.where(light > 0, light, np.nan))
    return darkening[:, None]


def _face(data: Floats) -> Floats:
    """Return eye opening (Soukupova & Cech 2016) and mouth width over eye distance."""
    opening = np.mean([_eye(data, "right"), _eye(data, "left")], axis=0)
    eyes = _apart(data, "right_eye_1", "left_eye_4")
    return np.column_stack([opening, _over(_apart(data, "mouth_right", "mouth_left"), eyes)])


def _eye(data: Floats, side: str) -> Floats:
    tall = _apart(data, f"{side}_eye_2", f"{side}_eye_6")
    tall = tall + _apart(data, f"{side}_eye_3", f"{side}_eye_5")
    return _over(tall, 2.0 * _apart(data, f"{side}_eye_1", f"{side}_eye_4"))


def _apart(data: Floats, one: str, other: str) -> Floats:
    """Return the distance of two landmarks in the picture, pixels, shape (n,)."""
    a, b = (FACE_CHANNELS.index(f"{point}_x") for point in (one, other))
    distance: Floats = np.hypot(data[:, a] - data[:, b], data[:, a + 1] - data[:, b + 1])
    return distance


def _over(upper: Floats, lower: Floats) -> Floats:
    ratio: Floats = upper / np.where(lower > 0, lower, np.nan)
    return ratio

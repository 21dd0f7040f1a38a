"""Which stream of a recording goes to which file of a BIDS data set, and what goes nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.errors import BadInput
from biosense.core.types import Modality, StreamInfo
from biosense.estimation.recorded_run import recorded_header
from biosense.recordings.export.bids_names import BidsSettings, bids_label
from biosense.recordings.streams import is_derived, is_signal

_NO_EEG = (
    "no EEG in the recording: BIDS holds the other signals as physiological recordings of a "
    "behavioural experiment, in the folder beh"
)


@dataclass(frozen=True)
class BidsPlan:
    """Hold the file of each stream, by name of the stream, and what is left out.

    Parameters
    ----------
    eeg, physio, behaviour
        Streams of EEG, of other signals, of numbers without a rate.
    events
        The file of the markers.
    notes
        What goes nowhere, and why.
    """

    eeg: dict[str, Path]
    physio: dict[str, Path]
    behaviour: dict[str, Path]
    events: Path
    notes: tuple[str, ...]

    @property
    def paths(self) -> list[Path]:
        """All files, without their sidecars."""
        streams = [*self.eeg.values(), *self.physio.values(), *self.behaviour.values()]
        return [*streams, self.events]


def plan_bids(reader: XdfReader, root: Path, settings: BidsSettings) -> BidsPlan:
    """Place the streams of a recording in a BIDS data set.

    Raises
    ------
    BadInput
        If no stream holds a number.
    """
    filled = {summary.info.name for summary in reader.streams if summary.samples}
    signals = [info for info in reader.infos if is_signal(info) and info.name in filled]
    eeg = [info for info in signals if info.modality is Modality.EEG]
    loose = [info for info in reader.infos if _is_loose(info) and info.name in filled]
    if not (signals or loose):
        raise BadInput(f"{reader.path} holds no signal: there is nothing to export")
    folder = settings.folder(root, "eeg" if eeg else "beh")
    taken: set[str] = set()
    stems = [settings.stem(bids_label(info.name, taken) if len(eeg) > 1 else "") for info in eeg]
    stem = stems[0] if eeg else settings.stem()
    labels: set[str] = set()
    physio = {
        info.name: folder / f"{stem}_recording-{bids_label(info.name, labels)}_physio.tsv.gz"
        for info in signals
        if info not in eeg
    }
    beh = settings.folder(root, "beh")
    return BidsPlan(
        {info.name: folder / f"{each}_eeg.bdf" for info, each in zip(eeg, stems, strict=True)},
        physio,
        {
            info.name: beh / f"{settings.stem(bids_label(info.name, labels))}_beh.tsv"
            for info in loose
        },
        folder / f"{stem}_events.tsv",
        tuple(_left_out(reader, filled, has_eeg=bool(eeg))),
    )


def _is_loose(info: StreamInfo) -> bool:
    return not info.is_text and info.sfreq == 0 and not is_derived(info)


def _left_out(reader: XdfReader, filled: set[str], *, has_eeg: bool) -> Iterator[str]:
    if not has_eeg:
        yield _NO_EEG
    derived = [info.name for info in reader.infos if is_derived(info)]
    if derived:
        yield f"{', '.join(derived)}: a derivative, not raw data; `--csv` exports it"
    for info in reader.infos:
        if info.name not in filled and not info.is_text:
            yield f"{info.name}: holds no sample, left out"


def bids_settings(
    reader: XdfReader,
    subject: str | None = None,
    task: str = "affect",
    session: str = "",
    run: int | None = None,
    *,
    mains_hz: float | None = None,
    overwrite: bool = False,
) -> BidsSettings:
    """Return the settings of an export, with what the recording says of itself.

    Parameters
    ----------
    reader
        Of the recording.
    subject, task, session, run, overwrite
        As in `BidsSettings`; the subject is the recording's participant by default.
    mains_hz
        Mains frequency, Hz; that of the live run by default.

    Raises
    ------
    BadInput
        If there is no subject, or a label cannot be one.
    """
    if subject is None:
        if not reader.sidecar.participant:
            raise BadInput("the recording names no participant: name the subject, a pseudonym")
        subject = bids_label(reader.sidecar.participant)
    header = recorded_header(reader)
    if mains_hz is None and header is not None:
        mains_hz = header.settings.mains_hz
    return BidsSettings(subject, task, session, run, mains_hz, overwrite)

"""A recording in the Brain Imaging Data Structure: EEG through mne-bids, the rest beside it."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from biosense import __version__
from biosense.acquisition.xdf.reader import XdfReader
from biosense.core.extras import need
from biosense.core.types import StreamInfo
from biosense.processing.offline.to_mne import to_raw
from biosense.recordings.export.bids_names import BidsSettings
from biosense.recordings.export.bids_plan import BidsPlan, plan_bids
from biosense.recordings.export.bids_tables import (
    write_behaviour,
    write_events,
    write_json,
    write_participant,
    write_physio,
    write_readme,
)
from biosense.recordings.export.fif import outside_note, wall_time
from biosense.recordings.export.result import Exported, ExportedFile, refuse_existing
from biosense.recordings.streams import gridded_stream, markers_of

if TYPE_CHECKING:
    import mne

_LONGEST_NAME = 16  # letters of a channel's name in the header of a .bdf file


def export_bids(reader: XdfReader, root: Path, settings: BidsSettings) -> Exported:
    """Add a recording to a BIDS data set, which is made if there is none.

    EEG becomes a .bdf file (24 bits) by mne-bids, other signals of a steady rate become physio
    files, numbers without a rate tables of the folder `beh`, markers events. Times count from the
    first sample of the (first) EEG stream, else from the first sample of all. Sidecars hold the
    pseudonym, and neither serial numbers nor addresses of devices. Estimates and features are
    derivatives, which a raw data set does not hold.

    Parameters
    ----------
    reader
        Of the recording.
    root
        Folder of the data set.
    settings
        Names, and whether to replace.

    Returns
    -------
    Exported
        What was written, and what was left out.

    Raises
    ------
    BadInput
        If a file exists already, or the recording holds no signal.
    MissingExtra
        If MNE, mne-bids or edfio is not installed.
    """
    for library in ("mne", "mne_bids", "edfio"):
        need(library, "BIDS")
    import mne_bids

    plan = plan_bids(reader, root, settings)
    refuse_existing(plan.paths, overwrite=settings.overwrite)
    for path in plan.paths:
        path.parent.mkdir(parents=True, exist_ok=True)
    if not (root / "dataset_description.json").exists():
        about = [{"Name": "biosense", "Version": __version__}]
        mne_bids.make_dataset_description(
            path=root, name="biosense recordings", generated_by=about, verbose="error"
        )
    write_readme(root)
    write_participant(root, settings.subject)
    return _Export(reader, root, settings, plan).run()


class _Export:
    """The writing of one recording."""

    def __init__(
        self, reader: XdfReader, root: Path, settings: BidsSettings, plan: BidsPlan
    ) -> None:
        self._reader, self._root, self._settings, self._plan = reader, root, settings, plan
        self._infos = {info.name: info for info in reader.infos}
        self._files: list[ExportedFile] = []
        self._notes = list(plan.notes)

    def run(self) -> Exported:
        plan, reader = self._plan, self._reader
        tried = [self._eeg(self._infos[name], path) for name, path in plan.eeg.items()]
        written = [each for each in tried if each is not None]
        zero = written[0].first if written else reader.begin
        for name, path in plan.physio.items():
            rows = write_physio(reader, self._infos[name], path, zero)
            self._note(path, "physio", name, rows)
        for name, path in plan.behaviour.items():
            rows = write_behaviour(reader, self._infos[name], path, zero)
            self._note(path, "values", name, rows)
        self._events(written[0] if written else None, zero)
        return Exported(self._root, tuple(self._files), tuple(self._notes))

    def _eeg(self, info: StreamInfo, path: Path) -> _Written | None:
        rate = float(math.ceil(info.sfreq))
        if rate != info.sfreq:
            self._notes.append(f"{info.name}: {rate:g} Hz in the file, which holds whole rates")
        chunk = gridded_stream(self._reader, info, sfreq=rate)
        if chunk.n == 0:
            self._notes.append(f"{info.name}: holds no value, left out")
            return None
        first, last = float(chunk.times[0]), float(chunk.times[-1])
        # Places on the head are those of a template, not measured: they do not go into the file.
        raw = to_raw(chunk, started=wall_time(self._reader), begin=self._reader.begin, montage=None)
        del chunk  # the file is written from a copy of the recording, which is large
        bad = raw.annotations
        spans = [
            (first + float(onset), float(seconds), str(text))
            for onset, seconds, text in zip(bad.onset, bad.duration, bad.description, strict=True)
        ]
        raw.set_annotations(None)
        raw.info["line_freq"] = self._settings.mains_hz
        self._shorten(raw, info)
        self._write(raw, path)
        self._note(path, "EEG", info.name, len(raw.times))
        return _Written(info.name, first, last, spans)

    def _write(self, raw: mne.io.BaseRaw, path: Path) -> None:
        import mne
        import mne_bids

        place = mne_bids.get_bids_path_from_fname(path, verbose="error").update(root=self._root)
        with mne.use_log_level("error"):  # of edge values behind the end: BAD_ACQ_SKIP
            mne_bids.write_raw_bids(
                raw, place, format="BDF", allow_preload=True, overwrite=True, verbose="error"
            )
        sidecar = path.with_suffix(".json")
        # It takes every .bdf file for one of Biosemi's.
        write_json(sidecar, json.loads(sidecar.read_text("utf-8")) | {"Manufacturer": "n/a"})

    def _shorten(self, raw: mne.io.BaseRaw, info: StreamInfo) -> None:
        """Give channels with names that the file cannot hold others, and say so."""
        long = [name for name in raw.ch_names if len(name) > _LONGEST_NAME]
        names = {name: f"E{raw.ch_names.index(name) + 1}" for name in long}
        raw.rename_channels(names)
        for name, short in names.items():
            self._notes.append(f"{info.name}: channel {name!r} is called {short!r} in the file")

    def _events(self, eeg: _Written | None, zero: float) -> None:
        found = markers_of(self._reader)
        spans = [] if eeg is None else eeg.spans
        markers = [each for each in found if eeg is None or eeg.first <= each.time <= eeg.last]
        if eeg is not None and len(found) > len(markers):
            self._notes.append(outside_note(len(found) - len(markers), eeg.stream))
        if markers or spans:
            rows = write_events(self._plan.events, markers, spans, zero)
            self._note(self._plan.events, "events", "", rows)

    def _note(self, path: Path, what: str, stream: str, rows: int) -> None:
        place = path.relative_to(self._root).as_posix()
        self._files.append(ExportedFile(place, what, stream, rows))


class _Written(NamedTuple):
    """What later files need to know of an EEG file."""

    stream: str
    first: float
    last: float
    spans: list[tuple[float, float, str]]

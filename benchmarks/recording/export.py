"""How long `biosense export` takes and how much memory, beside pyxdf with pandas and MNE.

Usage: python -m benchmarks.recording.export [--minutes 30]

A simulated person (EEG of 32 channels at 512 Hz, ECG, EDA) is written as XDF. Each export runs in a
process of its own: wall seconds, and the most memory that it held at one time. The alternatives
load the whole file with pyxdf, as notebooks do, and write its streams with pandas, or the EEG with
MNE; they compute no features, regularise nothing and know no gaps. "csv streams" is --no-features.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.figures import Figure, tell
from benchmarks.parts.simulated_recording import record


def pyxdf_csv(recording: Path, out: Path) -> None:
    import numpy as np
    import pandas as pd
    import pyxdf

    out.mkdir()
    for stream in pyxdf.load_xdf(str(recording))[0]:
        table = np.column_stack([stream["time_stamps"], stream["time_series"]])
        pd.DataFrame(table).to_csv(out / f"{stream['info']['name'][0]}.csv", index=False)


def pyxdf_fif(recording: Path, out: Path) -> None:
    import mne
    import pyxdf

    streams = {each["info"]["name"][0]: each for each in pyxdf.load_xdf(str(recording))[0]}
    eeg = streams["sim-eeg"]["time_series"].astype(float).T * 1e-6
    info = mne.create_info(len(eeg), 512.0, "eeg", verbose="error")
    raw = mne.io.RawArray(eeg, info, verbose="error")
    raw.save(out, fmt="double", verbose="error")


def biosense(kind: str, recording: Path, out: Path) -> None:
    from biosense.acquisition.xdf.reader import XdfReader
    from biosense.recordings.export.bids import export_bids
    from biosense.recordings.export.bids_names import BidsSettings
    from biosense.recordings.export.csv import export_csv
    from biosense.recordings.export.fif import export_fif

    reader = XdfReader(recording)
    if kind == "csv":
        export_csv(reader, out)
    elif kind == "streams":
        export_csv(reader, out, features=False)
    elif kind == "fif":
        export_fif(reader, out)
    else:
        export_bids(reader, out, BidsSettings("01"))


def work(name: str, recording: Path, out: Path) -> None:
    """Do one export in this process; print seconds, the most memory held and what was written."""
    began = time.perf_counter()
    if name.startswith("biosense"):
        biosense(name.split()[-1], recording, out)
    else:
        (pyxdf_csv if name.endswith("csv") else pyxdf_fif)(recording, out)
    wall = time.perf_counter() - began
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    files = [out] if out.is_file() else [path for path in out.rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files) / 1e6
    print(wall, most, size)


def in_a_child(name: str, recording: Path, out: Path) -> list[float]:
    """Do one export in a process of its own; return seconds, the most MB held and MB written."""
    command = [sys.executable, "-m", "benchmarks.recording.export", "--work", name, recording, out]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return [float(word) for word in done.stdout.splitlines()[-1].split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--work", nargs=3, metavar=("NAME", "FILE", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(options.work[0], Path(options.work[1]), Path(options.work[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "r.xdf"
        # In a process of its own: what a parent held counts in the peak of its children.
        making = multiprocessing.get_context("spawn").Process(
            target=record, args=(recording, options.minutes)
        )
        making.start()
        making.join()
        megabytes = recording.stat().st_size / 1e6
        print(f"{options.minutes:g} min of EEG (32 x 512 Hz), ECG, EDA: {megabytes:.0f} MB of XDF")
        print(f"{'':24s} {'wall s':>8s} {'peak MB':>10s} {'written MB':>10s}", flush=True)
        names = (
            "biosense csv",
            "biosense csv streams",
            "pyxdf, pandas csv",
            "biosense fif",
            "pyxdf, MNE fif",
        )
        spent = {}
        for number, name in enumerate((*names, "biosense bids")):
            out = Path(folder) / f"out{number}{'.fif' if name.endswith('fif') else ''}"
            spent[name], most, size = in_a_child(name, recording, out)
            print(f"{name:24s} {spent[name]:8.1f} {most:10.0f} {size:10.0f}", flush=True)
    title = f"{options.minutes:g} min of XDF to"
    csv, fif = (
        (spent["biosense csv streams"], spent["pyxdf, pandas csv"]),
        (spent["biosense fif"], spent["pyxdf, MNE fif"]),
    )
    tell(
        Figure(f"{title} CSV, streams", csv[0], "s", csv[1], "pyxdf and pandas", timed=True),
        Figure(f"{title} FIF", fif[0], "s", fif[1], "pyxdf and MNE", timed=True),
    )


if __name__ == "__main__":
    main()

"""The features of a trial by MNE and NeuroKit2 calls, at the moments at which ours come.

Each trial is cleaned and decomposed once, as a whole, which is the fast way and no live one; the
summaries are then computed over trailing windows every 0.25 s by the libraries' own functions.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from biosense.core.types import Floats, Modality

SFREQ = 128.0
HOP = 32  # samples
BANDS = ((1.0, 4.0), (4.0, 8.0), (8.0, 13.0), (13.0, 30.0), (30.0, 45.0))


def _ends(n: int) -> Iterator[int]:
    return iter(range(HOP, n + 1, HOP))


def eeg(data: Floats) -> None:
    """Notch, band-pass, average reference, Welch power of 2 s windows by band."""
    import mne

    info = mne.create_info(data.shape[1], SFREQ, "eeg")
    raw = mne.io.RawArray(1e-6 * data.T, info, verbose="error")
    raw.notch_filter(50.0, verbose="error").filter(1.0, 45.0, verbose="error")
    raw.set_eeg_reference("average", verbose="error")
    epochs = mne.make_fixed_length_epochs(
        raw, 2.0, overlap=1.75, preload=True, reject_by_annotation=False, verbose="error"
    )
    spectrum = epochs.compute_psd("welch", fmin=1.0, fmax=45.0, n_fft=256, verbose="error")
    power, freqs = spectrum.get_data(return_freqs=True)
    for low, high in BANDS:
        np.log(power[..., (freqs >= low) & (freqs < high)].sum(axis=-1))


def eda(data: Floats) -> None:
    """Clean, decompose, find responses; level and responses over 30 s."""
    import neurokit2 as nk

    signals, _ = nk.eda_process(data[:, 0], sampling_rate=SFREQ)
    for stop in _ends(len(data)):
        window = signals.iloc[max(0, stop - 30 * 128) : stop]
        nk.eda_intervalrelated(window, sampling_rate=SFREQ)


def ppg(data: Floats) -> None:
    """Clean, find pulses; rate and variability over 60 s."""
    import neurokit2 as nk

    signals, found = nk.ppg_process(data[:, 0], sampling_rate=SFREQ)
    peaks = found["PPG_Peaks"]
    for stop in _ends(len(data)):
        recent = peaks[(peaks > stop - 60 * 128) & (peaks <= stop)]
        if len(recent) > 4:
            nk.hrv_time(recent, sampling_rate=SFREQ)
        if len(recent) > 40:
            nk.hrv_frequency(recent, sampling_rate=SFREQ)
    signals["PPG_Rate"].mean()


def resp(data: Floats) -> None:
    """Clean, find breaths; mean and spread of their rate and depth over 30 s."""
    import neurokit2 as nk

    signals, _ = nk.rsp_process(data[:, 0], sampling_rate=SFREQ)
    for stop in _ends(len(data)):
        window = signals[["RSP_Rate", "RSP_Amplitude", "RSP_Phase"]].iloc[
            max(0, stop - 30 * 128) : stop
        ]
        window.mean()
        window.std()


def emg(data: Floats) -> None:
    """Clean, envelope, bursts of each muscle; levels over 0.5, 5, 10 and 30 s."""
    import neurokit2 as nk

    for muscle in data.T:
        # emg_clean wants 200 Hz and more.
        clean = nk.signal_filter(muscle, sampling_rate=SFREQ, lowcut=20.0, highcut=57.0)
        amplitude = nk.emg_amplitude(clean)
        active, _ = nk.emg_activation(amplitude, clean, sampling_rate=SFREQ, method="threshold")
        bursts = np.asarray(active["EMG_Activity"])
        for stop in _ends(len(data)):
            for seconds in (0.5, 5.0):
                np.log(np.sqrt(np.mean(amplitude[max(0, stop - int(128 * seconds)) : stop] ** 2)))
            bursts[max(0, stop - 10 * 128) : stop].mean()


def temp(data: Floats) -> None:
    """Low-pass; median, slope and change over 5, 30 and 120 s."""
    import neurokit2 as nk

    clean = nk.signal_filter(data[:, 0], sampling_rate=SFREQ, highcut=1.0)
    for stop in _ends(len(data)):
        level = np.median(clean[max(0, stop - 5 * 128) : stop])
        recent = clean[max(0, stop - 30 * 128) : stop]
        np.polyfit(np.arange(len(recent)), recent, 1)
        level - np.median(clean[:stop])


def _quietly(compute: Callable[[Floats], None]) -> Callable[[Floats], None]:
    def run(data: Any) -> None:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            compute(data)

    return run


THEIRS: dict[Modality, Callable[[Floats], None]] = {
    Modality.EEG: _quietly(eeg),
    Modality.EDA: _quietly(eda),
    Modality.PPG: _quietly(ppg),
    Modality.RESP: _quietly(resp),
    Modality.EMG: _quietly(emg),
    Modality.TEMP: _quietly(temp),
}

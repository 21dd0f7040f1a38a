"""Epochs around markers: which samples they hold, and what becomes of those that cannot be cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from biosense.core.errors import BadInput
from biosense.core.recording import Marker
from biosense.core.types import Chunk, Epoch, Modality, StreamInfo
from biosense.processing.offline.epochs import epochs_around
from biosense.processing.offline.on_grid import put_on_grid

INFO = StreamInfo("cap", Modality.EEG, ("Fz", "Cz"), 250.0, "V")
FEATURES = StreamInfo("chest", Modality.ECG, ("heart_rate", "rmssd"), 0.0)


def stream(first: int = 1000, count: int = 5000, *, without: tuple[int, int] = (0, 0)) -> Chunk:
    """Return a stream whose values are its positions: plus, on the second channel, a half."""
    positions = np.arange(first, first + count)
    positions = positions[(positions < without[0]) | (positions >= without[1])]
    return Chunk.of(INFO, positions / 250, np.column_stack([positions, positions + 0.5]))


def features(count: int = 40, quality: float = 1.0) -> list[Epoch]:
    return [
        Epoch(FEATURES, k, k / 4 - 1, k / 4, np.array([60.0 + k, np.nan]), quality)
        for k in range(100, 100 + count)
    ]


def test_samples_are_chosen_by_position_however_late_the_session_is() -> None:
    first = 250 * 3_000_000  # a computer that has run for a month
    times = [3_000_000 + second + 0.123456 for second in range(2, 18)]
    found = epochs_around(stream(first), [Marker(t, "m") for t in times], tmin=-0.2, tmax=0.8)
    assert found.data.shape == (16, 251, 2)
    zero = np.flatnonzero(found.times == 0).item()
    np.testing.assert_array_equal(found.data[:, zero, 0], np.rint(np.array(times) * 250))
    np.testing.assert_array_equal(np.diff(found.data[:, :, 0], axis=1), 1.0)
    np.testing.assert_array_equal(found.data[:, zero, 0], found.positions)


@pytest.mark.parametrize("sfreq", [128.0, 130.0, 511.9, 1000 / 7])
def test_every_epoch_has_the_same_samples_at_odd_rates(sfreq: float) -> None:
    info = replace(INFO, sfreq=sfreq)
    positions = np.arange(int(100 * sfreq), int(160 * sfreq))
    whole = Chunk.of(info, positions / sfreq, np.column_stack([positions, positions]))
    markers = [Marker(100.5 + 0.37 * n, "m") for n in range(150)]
    found = epochs_around(whole, markers, tmin=-0.1, tmax=0.3)
    assert len(found) == 150
    assert len(found.times) == round(0.3 * sfreq) - round(-0.1 * sfreq) + 1
    offsets = found.data[:, :, 0] - found.positions[:, None]
    np.testing.assert_array_equal(offsets, np.tile(offsets[0], (150, 1)))


def test_nothing_is_dropped_without_a_reason() -> None:
    whole = stream(without=(3000, 3005))
    whole.ok[2000:2040] = False
    texts = {"before": 4.1, "fine": 6.0, "gap": 11.9, "untrusted": 12.3, "behind": 23.9}
    markers = [Marker(time, text) for text, time in texts.items()]
    found = epochs_around(whole, markers, tmin=-0.2, tmax=0.2)
    reasons = {verdict.text: verdict.reason for verdict in found.report.verdicts}
    assert reasons == {
        "before": "past the end",
        "fine": "",
        "gap": "gap",
        "untrusted": "untrusted",
        "behind": "past the end",
    }
    assert found.texts == ("fine",)
    assert (found.report.kept, found.report.asked) == (1, 5)
    assert found.report.by_reason == {"past the end": 2, "gap": 1, "untrusted": 1}


def test_epochs_that_touch_a_gap_are_kept() -> None:
    whole = stream(without=(3000, 3005))
    before, behind = Marker(2999 / 250, "before"), Marker(3005 / 250, "behind")
    assert len(epochs_around(whole, [before], tmin=-1.0, tmax=0.0)) == 1
    assert len(epochs_around(whole, [behind], tmin=0.0, tmax=1.0)) == 1
    assert len(epochs_around(whole, [before], tmin=-1.0, tmax=0.004)) == 0


def test_the_share_of_trusted_samples_is_the_quality() -> None:
    whole = stream()
    whole.ok[500:505] = False
    whole.data[506, 1] = np.nan
    marker = Marker(6.0, "m")  # position 1500, the 500th sample
    found = epochs_around(whole, [marker], tmin=0.0, tmax=0.036, min_ok=0.4)
    assert found.quality.tolist() == [0.4]
    rejected = epochs_around(whole, [marker], tmin=0.0, tmax=0.036)
    assert rejected.report.verdicts[0].detail == "40 % trusted"


def test_limits_name_the_channel_that_broke_them() -> None:
    whole = stream()
    whole.data[:, 0] = 5e-6
    whole.data[:, 1] = np.where(np.arange(5000) % 1000 == 500, 300e-6, 1e-6 * (np.arange(5000) % 3))
    spike, calm = Marker(6.0, "spike"), Marker(8.0, "calm")
    found = epochs_around(whole, [spike, calm], tmin=-0.1, tmax=0.1, max_peak_to_peak=100e-6)
    assert [v.reason for v in found.report.verdicts] == ["too large", ""]
    assert found.report.rejected[0].detail.startswith("Cz 0.0003 V")
    found = epochs_around(whole, [calm], tmin=-0.1, tmax=0.1, flat=0.5e-6)
    assert found.report.rejected[0].reason == "flat"
    assert found.report.rejected[0].detail == "Fz 0 V"


@pytest.mark.parametrize("baseline", [(-0.2, 0.0), (None, 0.0), (None, None), (0.1, 0.2)])
def test_the_baseline_is_taken_off_each_channel(baseline: tuple[float, float]) -> None:
    whole = stream()
    plain = epochs_around(whole, [Marker(8.0, "m")], tmin=-0.2, tmax=0.2)
    found = epochs_around(whole, [Marker(8.0, "m")], tmin=-0.2, tmax=0.2, baseline=baseline)
    start = -0.2 if baseline[0] is None else baseline[0]
    stop = 0.2 if baseline[1] is None else baseline[1]
    span = (found.times > start - 1e-6) & (found.times < stop + 1e-6)
    assert span.sum() == round((stop - start) * 250) + 1
    np.testing.assert_allclose(found.data[:, span].mean(axis=1), 0.0, atol=1e-9)
    np.testing.assert_allclose(np.diff(found.data, axis=1), np.diff(plain.data, axis=1), atol=1e-9)


def test_the_stream_is_not_written_to() -> None:
    whole = stream()
    kept = whole.data.copy()
    epochs_around(whole, [Marker(8.0, "m")], tmin=-0.2, tmax=0.2, baseline=(None, 0.0))
    np.testing.assert_array_equal(whole.data, kept)


def test_features_of_the_session_grid_are_cut_as_signals_are() -> None:
    found = epochs_around(features(), [Marker(30.1, "m")], tmin=-1.0, tmax=1.0, baseline=(-1, 0))
    assert found.times.tolist() == [n / 4 for n in range(-4, 5)]
    assert found.data[0, :, 0].tolist() == [float(n) for n in range(-2, 7)]
    assert np.isnan(found.data[0, :, 1]).all()
    assert found.info.channels == ("heart_rate", "rmssd")


def test_features_of_low_quality_and_without_values_are_rejected() -> None:
    marker = [Marker(30.0, "m")]
    found = epochs_around(features(quality=0.5), marker, tmin=-1, tmax=1)
    assert found.report.by_reason == {"untrusted": 1}
    empty = [replace(epoch, data=np.full(2, np.nan)) for epoch in features()]
    assert epochs_around(empty, marker, tmin=-1, tmax=1).report.by_reason == {"no values": 1}
    missing = [epoch for epoch in features() if epoch.index != 120]
    assert epochs_around(missing, marker, tmin=-1, tmax=1).report.by_reason == {"gap": 1}


def test_epochs_can_be_chosen_by_the_text_of_their_markers() -> None:
    markers = [Marker(6 + n, "odd" if n % 3 else "common") for n in range(9)]
    found = epochs_around(stream(), markers, tmin=0.0, tmax=0.1)
    assert (len(found.of("odd")), len(found.of("odd", "common"))) == (6, 9)
    assert found.of("common").report.asked == 3
    with pytest.raises(BadInput, match="no marker 'rare'; there are: 'common', 'odd'"):
        found.of("rare")


def test_raw_stamps_are_refused_until_they_are_on_the_grid() -> None:
    stamps = np.arange(2500) / 250 + 0.0013
    raw = Chunk.of(replace(INFO, unit="uV", dtype="float32"), stamps, np.ones((2500, 2)))
    with pytest.raises(BadInput, match="put_on_grid"):
        epochs_around(raw, [Marker(5.0, "m")], tmin=0, tmax=1)
    found = epochs_around(put_on_grid(raw), [Marker(5.0, "m")], tmin=0, tmax=1)
    np.testing.assert_allclose(found.data, 1e-6)


def test_what_cannot_be_cut_is_refused() -> None:
    marker = [Marker(6.0, "m")]
    with pytest.raises(BadInput, match="tmin first"):
        epochs_around(stream(), marker, tmin=1, tmax=0)
    with pytest.raises(BadInput, match="within the epoch"):
        epochs_around(stream(), marker, tmin=-1, tmax=1, baseline=(-2, 0))
    with pytest.raises(BadInput, match="min_ok=2"):
        epochs_around(stream(), marker, tmin=-1, tmax=1, min_ok=2)
    with pytest.raises(BadInput, match="not finite"):
        epochs_around(stream(), [Marker(np.nan, "m")], tmin=-1, tmax=1)
    with pytest.raises(BadInput, match="no epoch to cut"):
        epochs_around([], marker, tmin=-1, tmax=1)
    with pytest.raises(BadInput, match="rising"):
        epochs_around(features()[::-1], marker, tmin=-1, tmax=1)
    other = replace(features()[3], info=INFO)
    with pytest.raises(BadInput, match="one stream"):
        epochs_around([*features(3), other], marker, tmin=-1, tmax=1)

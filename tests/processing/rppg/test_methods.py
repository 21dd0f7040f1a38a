"""POS (CHROM and green beside it): physics, polarity, streaming against the formula, gaps."""

import numpy as np
import pytest

from biosense.core import Chunk, Modality, StreamInfo
from biosense.core.camera_streams import RPPG_COLOURS
from biosense.core.errors import BadInput
from biosense.processing.rppg.methods import Chrom, Green, Pos, pos_wave
from biosense.processing.rppg.skin_colour import window_samples

SFREQ = 30.0
L = 48
INFO = StreamInfo("webcam", Modality.RPPG, RPPG_COLOURS, SFREQ)
SKIN = np.array([0.5, 0.36, 0.29])
ABSORPTION = np.array([0.33, 0.77, 0.53]) / 0.77


def frames(skin, background=None, pixels=(2600.0, 1900.0, 1800.0, 4000.0)):
    """Colour stream in which all regions of skin show `skin`, shape (n, 3)."""
    n = len(skin)
    wall = np.full((n, 3), 0.35) if background is None else background
    parts = []
    for colour, count in zip((skin, skin, skin, wall), pixels, strict=True):
        parts += [colour, np.full((n, 1), count)]
    return np.hstack(parts)


def run(data, sizes=None, indices=None, method=Pos):
    """Push rows through a method in pieces and return times, data and ok of the output."""
    indices = np.arange(len(data)) if indices is None else indices
    chunk = Chunk.of(INFO, indices / SFREQ, data)
    stage = method()
    stage.start(INFO)
    out, at = [], 0
    for size in [len(data)] if sizes is None else sizes:
        out.extend(stage.push(chunk.slice(at, at + size)))
        at += size
    out.extend(stage.flush())
    return (
        np.concatenate([c.times for c in out]),
        np.concatenate([c.data for c in out]),
        np.concatenate([c.ok for c in out]),
    )


def noisy_skin(n, seed=0, sd=0.003):
    rng = np.random.default_rng(seed)
    return SKIN * (1 + sd * rng.standard_normal((n, 3)))


def pos_of_the_paper(colour):
    """Batch POS as printed in Wang et al. 2017, without a shortcut; overlaps divided by count."""
    n = len(colour)
    total, count = np.zeros(n), np.zeros(n)
    for stop in range(L, n + 1):
        m = stop - L
        window = colour[m:stop] / colour[m:stop].mean(axis=0)
        s1 = window[:, 1] - window[:, 2]
        s2 = -2 * window[:, 0] + window[:, 1] + window[:, 2]
        h = s1 + s1.std() / s2.std() * s2
        total[m:stop] += h - h.mean()
        count[m:stop] += 1
    return total / count


def test_streaming_equals_the_paper_with_the_sign_of_blood_volume():
    skin = noisy_skin(200)
    _, data, ok = run(frames(skin), sizes=[1] * 200)
    assert np.abs(data[:, 0] + pos_of_the_paper(skin)).max() < 1e-12
    assert ok.all()


@pytest.mark.parametrize("sizes", [[1] * 150, [7] * 21 + [3], [0, 50, 0, 100], [149, 1]])
def test_any_cutting_gives_the_same(sizes):
    skin = noisy_skin(150)
    whole, cut = run(frames(skin)), run(frames(skin), sizes)
    for one, two in zip(whole, cut, strict=True):
        assert np.array_equal(one, two)


def test_a_change_of_light_alone_gives_nothing():
    light = 1 + 0.2 * np.sin(2 * np.pi * 1.1 * np.arange(200) / SFREQ)
    _, data, _ = run(frames(SKIN * light[:, None], SKIN * light[:, None]))
    assert np.abs(data).max() <= 1e-12


def test_a_window_without_colour_change_has_no_second_term():
    assert np.abs(pos_wave(np.zeros((1, L, 3)))).max() == 0


@pytest.mark.parametrize("gain", [0.5, 2.0, np.array([1.3, 0.8, 0.6])])
def test_gain_does_not_matter(gain):
    skin = noisy_skin(150)
    one, two = run(frames(skin))[1], run(frames(skin * gain))[1]
    assert np.allclose(one, two, atol=1e-12)


def test_more_blood_gives_a_higher_value():
    t = np.arange(300) / SFREQ
    blood = np.sin(2 * np.pi * 1.2 * t)
    _, data, _ = run(frames(SKIN * (1 - 0.005 * np.outer(blood, ABSORPTION))))
    assert np.corrcoef(data[:, 0], blood)[0, 1] > 0.999


def test_red_and_blue_are_told_apart():
    t = np.arange(300) / SFREQ
    blood = np.outer(np.sin(2 * np.pi * 1.2 * t), ABSORPTION)
    good = run(frames(SKIN * (1 - 0.005 * blood)))[1][:, 0]
    swapped = run(frames((SKIN * (1 - 0.005 * blood))[:, ::-1]))[1][:, 0]
    assert np.abs(good - swapped).max() > 0.2 * np.ptp(good)


def test_a_sample_comes_out_when_47_more_frames_came_in():
    stage = Pos()
    stage.start(INFO)
    chunk = Chunk.of(INFO, np.arange(60) / SFREQ, frames(noisy_skin(60)))
    out = [stage.push(chunk.slice(n, n + 1)) for n in range(60)]
    assert window_samples(SFREQ) == L
    assert all(len(result) == 0 for result in out[: L - 1])
    assert [result[0].times.tolist() for result in out[L - 1 :]] == [[n / SFREQ] for n in range(13)]


def test_output_has_the_length_of_the_input():
    times, _, _ = run(frames(noisy_skin(100)))
    assert np.array_equal(times, np.arange(100) / SFREQ)


def test_nothing_reaches_across_a_gap():
    skin = noisy_skin(200)
    indices = np.concatenate([np.arange(100), np.arange(130, 230)])
    _, both, _ = run(frames(skin), indices=indices)
    _, first, _ = run(frames(skin[:100]))
    _, second, _ = run(frames(skin[100:]), indices=indices[100:])
    assert np.array_equal(both, np.concatenate([first, second]))


def test_samples_without_a_face_are_not_ok():
    data = frames(noisy_skin(300))
    data[100:130, :12] = np.nan
    _, waves, ok = run(data)
    assert not ok[100:130].any()
    assert np.isnan(waves[100:130, 0]).all()
    assert ok[:100].all()
    assert ok[130:].all()
    assert np.isfinite(waves[:, 1]).all()


def test_frames_before_a_lost_face_do_not_feel_its_loss():
    data = frames(noisy_skin(300))
    lost = data.copy()
    lost[200:, :12] = np.nan
    whole, cut = run(data)[1], run(lost)[1]
    assert np.array_equal(whole[:152, 0], cut[:152, 0])


def test_a_run_shorter_than_a_window_has_no_pulse():
    _, data, ok = run(frames(noisy_skin(L - 1)))
    assert np.isnan(data).all()
    assert not ok.any()


def test_a_region_that_disappears_does_not_look_like_a_pulse():
    skin = np.tile(SKIN, (300, 1))
    data = frames(skin)
    data[:, 8:11] *= [0.8, 0.9, 1.1]  # a cheek in other light
    data[150:, 8:12] = np.nan
    _, waves, ok = run(data)
    assert ok.all()
    assert np.nanmax(np.abs(waves[:, 0])) < 1e-12


def test_changing_pixel_counts_do_not_look_like_a_pulse():
    rng = np.random.default_rng(1)
    data = frames(np.tile(SKIN, (300, 1)))
    data[:, 8:11] *= [0.8, 0.9, 1.1]
    data[:, 11] *= rng.uniform(0.5, 1.0, 300)
    _, waves, _ = run(data)
    assert np.abs(waves[:, 0]).max() < 1e-12


def test_a_black_picture_is_no_division_by_zero():
    _, data, ok = run(frames(np.zeros((100, 3)), np.zeros((100, 3))))
    assert np.isnan(data).all()
    assert not ok.any()


def chrom_of_the_formula(colour):
    n = len(colour)
    total, count = np.zeros(n), np.zeros(n)
    for stop in range(L, n + 1):
        r, g, b = (colour[stop - L : stop] / colour[stop - L : stop].mean(axis=0)).T
        x, y = 3 * r - 2 * g, 1.5 * r + g - 1.5 * b
        h = x - x.std() / y.std() * y
        total[stop - L : stop] += h - h.mean()
        count[stop - L : stop] += 1
    return total / count


def test_chrom_is_its_formula_and_upright():
    skin = noisy_skin(150)
    assert (
        np.abs(run(frames(skin), method=Chrom)[1][:, 0] - chrom_of_the_formula(skin)).max() < 1e-12
    )
    blood = np.sin(2 * np.pi * 1.2 * np.arange(300) / SFREQ)
    skin = SKIN * (1 - 0.005 * np.outer(blood, ABSORPTION))
    for method in (Chrom, Green):
        wave = run(frames(skin), method=method)[1][:, 0]
        assert np.corrcoef(wave, blood)[0, 1] > 0.98


def test_green_feels_light_that_pos_and_chrom_do_not():
    light = 1 + 0.02 * np.sin(2 * np.pi * 1.1 * np.arange(200) / SFREQ)
    data = frames(SKIN * light[:, None])
    sizes = [np.ptp(run(data, method=method)[1][:, 0]) for method in (Pos, Chrom, Green)]
    assert max(sizes[:2]) < 1e-12
    assert sizes[2] == pytest.approx(0.04, rel=0.1)


@pytest.mark.parametrize("hertz", [0.7, 1.2, 3.5])
def test_the_pass_band_of_green_is_flat_and_without_delay(hertz):
    t = np.arange(600) / SFREQ
    swing = 0.002 * np.sin(2 * np.pi * hertz * t)
    wave = run(frames(SKIN * (1 - swing)[:, None]), method=Green)[1][100:-100, 0]
    part = swing[100:-100]
    gain = wave @ part / (part @ part)
    assert gain == pytest.approx(1.0, abs=0.03)  # 0.3 dB
    assert np.corrcoef(wave, part)[0, 1] > 0.9999


def test_slow_light_is_stopped():
    t = np.arange(1800) / SFREQ
    drift = 0.1 * np.sin(2 * np.pi * 0.03 * t)
    wave = run(frames(SKIN * (1 + drift)[:, None]), method=Green)[1][100:-100, 0]
    assert np.ptp(wave) < 0.02 * np.ptp(drift)  # 34 dB


def test_an_impulse_and_a_step_are_over_after_a_window():
    for change in (np.eye(1, 300, 150)[0], np.arange(300) >= 150):
        skin = SKIN * (1 + 0.01 * np.outer(change, [0.2, -1.0, 0.3]))
        wave = run(frames(skin))[1][:, 0]
        assert np.abs(wave[150 - L + 1 : 150 + L]).max() > 1e-3
        assert np.abs(wave[: 150 - L]).max() < 1e-12
        assert np.abs(wave[150 + L :]).max() < 1e-12


def test_the_input_is_not_written_to():
    data = frames(noisy_skin(100))
    data[50:60, :12] = np.nan
    before = data.copy()
    run(data)
    assert np.array_equal(before, data, equal_nan=True)


def test_wrong_streams_are_refused():
    with pytest.raises(BadInput, match="must be RPPG_CHANNELS"):
        Pos().start(StreamInfo("x", Modality.RPPG, ("r", "g", "b"), SFREQ))
    many = tuple(f"c{n}" for n in range(256))
    for channels in (("r",), many, RPPG_COLOURS[::-1]):
        with pytest.raises(BadInput, match="must be RPPG_CHANNELS"):
            Green().start(StreamInfo("x", Modality.RPPG, channels, 20_000.0))
    with pytest.raises(BadInput, match="at least 8 Hz"):
        Pos().start(StreamInfo("x", Modality.RPPG, RPPG_COLOURS, 5.0))

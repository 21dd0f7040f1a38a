"""Which channels of a stream are drawn, and what is computed from the camera's."""

import numpy as np
import pytest

from biosense.acquisition.simulated.participant import Participant
from biosense.acquisition.simulated.scalp import CHANNELS
from biosense.core.camera_streams import FACE_CHANNELS, RPPG_CHANNELS
from biosense.core.types import Modality
from biosense.gui.state.panels import choose_eeg, panel_of, panels_of
from tests.support.gui_fakes import stream


def test_of_32_channels_eight_that_stand_for_the_head_are_drawn() -> None:
    names = [CHANNELS[at] for at in choose_eeg(CHANNELS)]
    assert names == ["Fp1", "F3", "F4", "C3", "C4", "P3", "O1", "O2"]
    panel = panel_of(stream("cap", "eeg", channels=CHANNELS))
    assert panel is not None
    assert panel.title == "EEG 8 of 32"


def test_missing_sites_are_filled_up_from_the_rest() -> None:
    names = tuple(f"E{n}" for n in range(1, 33))
    chosen = choose_eeg(names)
    assert len(set(chosen)) == 8
    assert (min(chosen), max(chosen)) == (0, 31)


def test_small_montage_is_drawn_whole_without_its_auxiliary_channel() -> None:
    assert choose_eeg(("TP9", "AF7", "AF8", "TP10", "AUX")) == (0, 1, 2, 3)


def test_streams_are_ordered_by_modality_and_others_are_left_out() -> None:
    streams = [stream("f", "face"), stream("m", ""), stream("e", "eda"), stream("h", "ecg")]
    assert [panel.stream for panel in panels_of(streams)] == ["h", "e", "f"]


def test_smile_and_blink_of_a_simulated_face_can_be_seen() -> None:
    person = Participant(3, [Modality.FACE])
    blocks = [person.block(n)[Modality.FACE].data.astype(float) for n in range(15)]
    panel = panel_of(stream("cam", "face", channels=FACE_CHANNELS))
    assert panel is not None
    drawn = panel.take(np.concatenate(blocks))
    opening, smile = drawn[np.isfinite(drawn).all(axis=1)].T
    assert 0.2 < np.median(opening) < 0.5
    assert opening.min() < 0.5 * np.median(opening)  # a blink
    assert np.ptp(smile) > 0.02


def test_frame_without_a_face_is_nothing_not_zero() -> None:
    panel = panel_of(stream("cam", "face", channels=FACE_CHANNELS))
    assert panel is not None
    assert np.isnan(panel.take(np.full((2, len(FACE_CHANNELS)), np.nan))).all()


def test_pulse_of_the_forehead_points_up_when_the_skin_darkens() -> None:
    panel = panel_of(stream("cam", "rppg", channels=RPPG_CHANNELS))
    assert panel is not None
    data = np.zeros((2, len(RPPG_CHANNELS)))
    data[:, RPPG_CHANNELS.index("forehead_g")] = 0.5, 0.495
    before, after = panel.take(data)[:, 0]
    assert after - before == pytest.approx(1.0, abs=0.02)  # percent
    assert panel.unit == "%"


def test_camera_stream_of_another_program_is_drawn_as_it_is() -> None:
    panel = panel_of(stream("other", "rppg", channels=("red", "green", "blue")))
    assert panel is not None
    assert panel.lanes == ("red", "green")

"""Recordings as sequences: cut by trial, with state carried over, and nothing looked ahead."""

from __future__ import annotations

import gc
from dataclasses import replace

import numpy as np
import pytest

from biosense.acquisition.camera.tracking.mediapipe_backend import MediaPipeBackend
from biosense.core.errors import BadInput, MissingExtra
from biosense.core.grid import HOP
from biosense.core.recording import Rating
from biosense.core.types import Chunk, Modality
from biosense.estimation.processor import ProcessorSettings
from biosense.estimation.run_processor import extract
from biosense.studies.features.extract import (
    Extracted,
    ExtractSettings,
    extract_trials,
    feature_names,
)
from biosense.studies.features.video import film_streams
from tests.support.camera_fakes import FixedFace, picture, write_video
from tests.support.study_toys import JOYSTICK, TRIAL_S, toy_recording

PLAIN = ExtractSettings()


def test_every_trial_becomes_a_sequence_of_its_own_steps():
    recording = toy_recording("p01")
    found = extract_trials(recording, PLAIN)
    assert [s.stimulus for s in found.sequences] == ["film0", "film1", "film2"]
    assert [s.group for s in found.sequences] == ["", "sad", "sad"]
    assert [s.position for s in found.sequences] == [0, 1, 2]
    for sequence, trial in zip(found.sequences, recording.trials, strict=True):
        assert sequence.n == round(TRIAL_S / HOP)
        assert trial.start < sequence.time[0] <= trial.start + HOP
        assert trial.stop - HOP < sequence.time[-1] <= trial.stop
        assert set(sequence.data) == {Modality.EDA, Modality.TEMP}
    assert len(found.features[Modality.EDA]) == found.sequences[0].data[Modality.EDA].shape[1]


def test_the_target_is_the_annotation_at_each_step():
    for sequence in extract_trials(toy_recording("p01"), PLAIN).sequences:
        expected = np.column_stack([sequence.time, -sequence.time]) / 1000
        known = np.isfinite(sequence.target).all(1)
        assert known.all()
        assert not sequence.per_trial
        # The last step lies one sample behind the last annotation, which is held.
        np.testing.assert_allclose(sequence.target[:-1], expected[:-1], atol=1e-12)


def test_a_lag_takes_what_was_said_later():
    plain = extract_trials(toy_recording("p01"), PLAIN).sequences[0]
    late = extract_trials(toy_recording("p01"), ExtractSettings(annotation_lag_s=2.0)).sequences[0]
    np.testing.assert_allclose(late.target[:60, 0], plain.target[:60, 0] + 0.002, atol=1e-12)
    assert np.isnan(late.target[-1]).all()  # two seconds behind the end nobody said anything
    with pytest.raises(BadInput, match="2 to 6 s"):
        ExtractSettings(annotation_lag_s=-1.0)


def test_a_rated_trial_repeats_its_rating():
    recording = toy_recording("p01", rated=True)
    for sequence, trial in zip(
        extract_trials(recording, PLAIN).sequences, recording.trials, strict=True
    ):
        assert sequence.per_trial
        assert trial.rating is not None
        expected = [trial.rating.valence, trial.rating.arousal]
        np.testing.assert_array_equal(sequence.target, np.tile(expected, (sequence.n, 1)))


def test_nothing_looks_ahead_and_everything_remembers():
    """What comes later changes nothing; what came earlier is carried over into the next trial."""
    whole = toy_recording("p01")
    first, second, _ = extract_trials(whole, PLAIN).sequences
    end = whole.trials[1].start
    early = replace(
        whole,
        streams=tuple(
            chunk.slice(0, int(np.searchsorted(chunk.times, end))) for chunk in whole.streams
        ),
    )
    alone = extract_trials(early, PLAIN).sequences[0]
    for modality, values in first.data.items():
        np.testing.assert_array_equal(values, alone.data[modality])
    late = replace(
        whole,
        streams=tuple(
            chunk.slice(int(np.searchsorted(chunk.times, whole.trials[0].stop)), chunk.n)
            for chunk in whole.streams
        ),
    )
    fresh = extract_trials(late, PLAIN).sequences[0]
    assert fresh.stimulus == second.stimulus
    assert not np.allclose(fresh.data[Modality.EDA], second.data[Modality.EDA], equal_nan=True), (
        "the normalisation of the second trial knows the first"
    )


def test_a_recording_without_trials_is_one_sequence_as_training_sees_it():
    whole = replace(toy_recording("p01"), trials=())
    (sequence,) = extract_trials(whole, PLAIN).sequences
    theirs = extract(whole, ProcessorSettings())
    shared, ours, other = np.intersect1d(sequence.time, theirs.time, return_indices=True)
    assert len(shared) > 100
    for modality, values in theirs.data.items():
        np.testing.assert_array_equal(sequence.data[modality][ours], values[other])
    assert np.isnan(sequence.target).any()  # nobody held the joystick between the films


def test_what_cannot_be_used_is_told():
    recording = toy_recording("p01", rated=True)
    trials = list(recording.trials)
    trials[0] = replace(trials[0], rating=None)
    trials[1] = replace(trials[1], rating=Rating(0.0, np.nan, np.nan))
    trials.append(replace(trials[2], start=1e4, stop=1e4 + 10))
    found = extract_trials(replace(recording, trials=tuple(trials)), PLAIN)
    assert [s.position for s in found.sequences] == [2]
    assert found.notes == (
        "p01: made up",
        "p01: trial 1 (film0) is left out: nobody rated it",
        "p01: trial 2 (film1) is left out: its rating holds no number",
        "p01: trial 4 (film2) is left out: no stream gave a feature during it",
    )


def test_a_stream_that_fails_within_a_trial_is_absent_there():
    recording = toy_recording("p01")
    eda = recording.streams[0]
    kept = np.flatnonzero(eda.times < recording.trials[2].start + 5)
    cut = replace(recording, streams=(eda.slice(0, len(kept)), recording.streams[1]))
    sequence = extract_trials(cut, PLAIN).sequences[2]
    assert sequence.n == round(TRIAL_S / HOP)
    assert (sequence.quality[Modality.EDA][-20:] == 0).all()
    assert np.isnan(sequence.data[Modality.EDA][-20:]).all()
    assert (
        sequence.quality[Modality.TEMP][-20:-1] > 0
    ).all()  # the last sample lies before the end


def test_raters_are_averaged_where_they_spoke():
    recording = toy_recording("p01")
    times = recording.annotations[0].times
    other = Chunk.of(JOYSTICK, times, np.full((len(times), 2), 0.5), ok=times < times[20])
    both = replace(recording, annotations=(*recording.annotations, other))
    sequence = extract_trials(both, PLAIN).sequences[0]
    assert sequence.target[8, 0] == pytest.approx((sequence.time[8] / 1000 + 0.5) / 2)
    assert sequence.target[60, 0] == pytest.approx(sequence.time[60] / 1000)


def test_annotations_that_are_too_sparse_give_way_to_the_rating():
    rated = toy_recording("p01", rated=True)
    plain = toy_recording("p01").annotations[0]
    sparse = replace(rated, annotations=(plain.slice(0, 4),))  # one second of the first trial
    assert all(s.per_trial for s in extract_trials(sparse, PLAIN).sequences)
    unrated = replace(toy_recording("p01"), annotations=(plain.slice(0, 4),))
    (only,) = extract_trials(unrated, PLAIN).sequences
    assert not only.per_trial
    assert 0 < np.isfinite(only.target[:, 0]).sum() < 12


def test_one_lead_is_picked_of_two_and_that_is_told():
    recording = toy_recording("p01")
    eda = recording.streams[0]
    both = np.column_stack([np.where(eda.times < 50, np.nan, 5.0), eda.data[:, 0]])
    info = replace(eda.info, channels=("left", "right"))
    two = replace(recording, streams=(replace(eda, info=info, data=both), recording.streams[1]))
    found = extract_trials(two, PLAIN)
    assert "p01: eda: of left, right only right is used" in found.notes
    one = extract_trials(recording, PLAIN)
    for sequence, expected in zip(found.sequences, one.sequences, strict=True):
        np.testing.assert_array_equal(sequence.data[Modality.EDA], expected.data[Modality.EDA])


def test_the_order_control_puts_trials_elsewhere():
    recording = toy_recording("p01", 6)
    shuffled = extract_trials(recording, ExtractSettings(shuffle=3)).sequences
    names = [s.stimulus for s in shuffled]
    assert sorted(names) == [f"film{k}" for k in range(6)] != names
    assert [s.position for s in shuffled] == list(range(6))
    other = replace(recording, subject="p02")
    assert names != [
        s.stimulus for s in extract_trials(other, ExtractSettings(shuffle=3)).sequences
    ]


def test_some_trials_only():
    recording = toy_recording("p01", 4)
    found = extract_trials(recording, ExtractSettings(trials=2))
    assert [s.stimulus for s in found.sequences] == ["film0", "film1"]
    assert "p01: 2 of 4 trials are used" in found.notes
    whole = extract_trials(recording, PLAIN).sequences[:2]
    for short, sequence in zip(found.sequences, whole, strict=True):
        ours, theirs = (each.data[Modality.EDA][:-1] for each in (short, sequence))
        # A step at the very end is known by the sample behind it, where there is one.
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(BadInput, match="at least 1"):
        ExtractSettings(trials=0)


def test_recordings_must_agree_on_features():
    parts = [Extracted((), {Modality.EDA: names}) for names in (("a", "b"), ("a", "c"))]
    with pytest.raises(BadInput, match="eda has the features"):
        feature_names(parts)


def filmed(tmp_path):
    recording = toy_recording("p01", rated=True)
    film = write_video(tmp_path / "face.avi", [picture()] * 250, fps=10.0)
    trials = [
        replace(trial, video=film, video_start=trial.start - 1.0) for trial in recording.trials[:2]
    ]
    return replace(recording, trials=(*trials, recording.trials[2]))


def test_films_of_the_face_become_streams(tmp_path):
    recording = filmed(tmp_path)
    (rppg, face), notes = film_streams(recording, FixedFace)
    assert notes == []
    assert (rppg.info.modality, face.info.modality) == (Modality.RPPG, Modality.FACE)
    assert rppg.info.sfreq == 10.0
    assert face.n == rppg.n == 2 * 211  # from a second before a trial's start to its end
    np.testing.assert_allclose(face.times[:3] - recording.trials[0].start, [-1, -0.9, -0.8])
    assert face.times[-1] <= recording.trials[1].stop
    assert np.isfinite(rppg.data[:, 0]).all()
    sequences = extract_trials(
        replace(recording, streams=(*recording.streams, rppg, face)), ExtractSettings(video=False)
    ).sequences
    assert Modality.FACE in sequences[0].data


def test_a_film_that_cannot_be_read_is_told(tmp_path):
    recording = filmed(tmp_path)
    (tmp_path / "face.avi").write_bytes(b"no film")
    streams, notes = film_streams(recording, FixedFace)
    assert streams == []
    assert len(notes) == 2
    assert "holds no video" in notes[0]


def test_without_a_face_tracker_the_rest_is_used(tmp_path, monkeypatch):
    def missing(self):
        raise MissingExtra("mediapipe is not installed: pip install 'biosense[face]'")

    monkeypatch.setattr(MediaPipeBackend, "__init__", missing)
    found = extract_trials(filmed(tmp_path), PLAIN)
    assert len(found.sequences) == 3
    (note,) = (note for note in found.notes if "film" in note and "trial" not in note)
    assert "biosense[face]" in note


def test_the_search_for_cycles_rests_for_so_long_and_finds_none_behind():
    extract_trials(toy_recording("p01"), PLAIN)  # whatever is made once has been made
    gc.collect()
    found = extract_trials(toy_recording("p01"), PLAIN)
    assert gc.isenabled()
    assert gc.collect() < sum(sequence.n for sequence in found.sequences) / 10


def test_the_search_for_cycles_goes_on_behind_a_failure(monkeypatch):
    def fail(*_):
        assert not gc.isenabled()
        raise BadInput("no")

    monkeypatch.setattr("biosense.studies.features.extract.process_whole", fail)
    with pytest.raises(BadInput):
        extract_trials(toy_recording("p01"), PLAIN)
    assert gc.isenabled()

"""AMIGOS: cells are joined by video, arousal comes first, and quirks are told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from biosense.core.errors import DatasetDamaged
from biosense.core.recording import Recording, Trial
from biosense.core.types import Chunk, Floats
from biosense.datasets.amigos.fabricate import (
    BRIEF,
    EXACT,
    LOST,
    MISSING,
    NO_ANNOTATION,
    NO_DATA,
    NO_REPORT,
    fabricate,
    planted_frequency,
)
from biosense.datasets.amigos.labels import ANSWERS, frames
from biosense.datasets.amigos.reader import BASELINE, EEG, SFREQ, VARIABLES, VIDEOS, Amigos

Content = dict[str, Any]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("amigos")
    fabricate(folder, 2, 5)
    return folder


@pytest.fixture(scope="module")
def first(folder: Path) -> Recording:
    return Amigos(folder).load("P01")


@pytest.fixture(scope="module")
def content(folder: Path) -> Content:
    return dict(loadmat(folder / "Data_Preprocessed_P01" / "Data_Preprocessed_P01.mat"))


@pytest.fixture
def changed(tmp_path: Path, content: Content) -> Callable[..., Amigos]:
    """Write the first participant with some variables in another way."""

    def change(**other: Any) -> Amigos:
        kept = {name: other.get(name, content[name].copy()) for name in VARIABLES}
        savemat(tmp_path / "Data_Preprocessed_P01.mat", kept)
        return Amigos(tmp_path)

    return change


def cell_of(content: Content, video: str) -> int:
    return [str(cell[0]) for cell in content["VideoIDs"][0]].index(video)


def altered(content: Content, name: str, video: str, cell: Any) -> Any:
    row = content[name].copy()
    row[0, cell_of(content, video)] = cell
    return row


def within(chunk: Chunk, start: float, stop: float) -> Floats:
    return np.asarray(chunk.data[(chunk.times >= start) & (chunk.times < stop)])


def by_video(recording: Recording) -> dict[str, Trial]:
    return {trial.stimulus: trial for trial in recording.trials}


def test_each_electrode_holds_its_own_frequency_in_volts(first: Recording) -> None:
    trial = first.trials[0]
    part = within(first.stream("eeg"), trial.start, trial.start + 20)
    spectrum = np.abs(np.fft.rfft(part, axis=0))
    peaks = np.fft.rfftfreq(len(part), 1 / SFREQ)[spectrum[20:].argmax(axis=0) + 20]
    np.testing.assert_allclose(peaks, [planted_frequency(c) for c in range(len(EEG))])
    assert 1e-5 < np.abs(part).max() < 3e-5


def test_the_rest_before_the_video_lasts_5_s_and_is_kept(first: Recording) -> None:
    for trial in first.trials:
        assert trial.baseline == trial.start - 5.0
    trial = first.trials[0]
    eeg = first.stream("eeg")
    rest, video = within(eeg, trial.start - 5, trial.start), within(eeg, trial.start, trial.stop)
    assert 0.4 < rest[:, 5].std() / video[:, 5].std() < 0.65


def test_body_signals_are_in_volts_and_siemens(first: Recording) -> None:
    ecg, eda = first.stream("ecg"), first.stream("eda")
    assert (ecg.info.unit, eda.info.unit) == ("V", "S")
    right, left = np.ptp(ecg.data, axis=0)
    assert left == pytest.approx(2 * right)
    assert 1e-3 < left < 1.5e-3
    assert 1e-6 < np.nanmedian(eda.data) < 1e-5
    assert any("taken as microvolts" in note for note in first.notes)
    assert any("taken as microsiemens" in note for note in first.notes)


def test_skin_resistance_is_turned_over(
    changed: Callable[..., Amigos], content: Content, first: Recording
) -> None:
    data = content["joined_data"].copy()
    for place, cell in enumerate(data[0]):
        if cell.size:
            data[0, place] = cell.copy()
            data[0, place][:, -1] = 1e6 / cell[:, -1]
    data[0, cell_of(content, "4")][1000, -1] = -5.0
    other = changed(joined_data=data).load("P01")
    assert any("taken as ohm" in note for note in other.notes)
    values = other.stream("eda").data[:, 0]
    assert np.isnan(values).sum() == 1
    assert not other.stream("eda").ok[np.isnan(values)].any()
    np.testing.assert_allclose(values[:500], first.stream("eda").data[:500, 0])


def test_arousal_comes_first_in_answers_and_second_in_annotations(
    first: Recording, content: Content
) -> None:
    times, values = first.annotations[0].times, first.annotations[0].data
    assert first.annotations[0].info.channels == ("valence", "arousal")
    for trial in first.trials:
        place = cell_of(content, trial.stimulus)
        said = content["labels_selfassessment"][0, place][0]
        assert trial.rating is not None
        assert trial.rating.arousal == pytest.approx((said[0] - 5) / 4)
        assert trial.rating.valence == pytest.approx((said[1] - 5) / 4)
        assert list(trial.raw) == list(ANSWERS)
        assert list(trial.raw.values()) == said.tolist()
        table = content["labels_ext_annotation"][0, place]
        inside = (times > trial.start) & (times <= trial.stop + 1e-6)
        np.testing.assert_allclose(values[inside], table[1:-1, 1:].reshape(-1, 2))
        np.testing.assert_allclose(
            times[inside] - trial.start, 20.0 * np.arange(1, inside.sum() + 1)
        )


def test_videos_are_in_the_order_of_the_list_with_a_minute_between(first: Recording) -> None:
    shown = [trial.stimulus for trial in first.trials]
    assert shown == [video for video in VIDEOS if video in shown]
    for before, after in zip(first.trials, first.trials[1:], strict=False):
        assert after.baseline is not None
        assert 60 <= after.baseline - before.stop <= 61
    steps = np.diff(first.stream("eeg").times)
    assert (steps > 59).sum() == len(first.trials) - 1


def test_what_cannot_be_used_is_listed(folder: Path, first: Recording) -> None:
    shown, notes = by_video(first), "\n".join(first.notes)
    assert NO_REPORT not in shown
    assert NO_DATA not in shown
    assert f"video {NO_REPORT}: left out, it has no self-report" in notes
    assert f"video {NO_DATA}: left out, it has no data" in notes
    assert NO_ANNOTATION in shown
    assert f"video {NO_ANNOTATION}: no external annotation" in notes
    assert f"video {MISSING}: eeg {LOST} lacks 100% of its samples" in notes
    second = Amigos(folder).load("P02")
    assert {trial.stimulus for trial in second.trials} == set(VIDEOS[:16])
    assert sum("video N1: left out, it has no data" in note for note in second.notes) == 1


def test_a_lost_electrode_leaves_the_others_trusted(first: Recording) -> None:
    trial, eeg = by_video(first)[MISSING], first.stream("eeg")
    inside = (eeg.times >= trial.start) & (eeg.times < trial.stop)
    assert np.isnan(eeg.data[inside][:, EEG.index(LOST)]).all()
    assert np.isfinite(np.delete(eeg.data[inside], EEG.index(LOST), axis=1)).all()
    assert eeg.ok.all()


def test_brief_and_exact_videos_have_the_frames_that_fit(first: Recording) -> None:
    times = first.annotations[0].times
    counts = {
        video: int(((times > trial.start) & (times <= trial.stop)).sum())
        for video, trial in by_video(first).items()
    }
    assert (counts[BRIEF], counts[EXACT], counts["N1"], counts["4"]) == (0, 2, 3, 1)


def test_row_counts_that_do_not_fit_are_told() -> None:
    table = np.column_stack([np.arange(5), np.zeros((5, 2))])
    assert len(frames(table, 0.0, 60.0, "x")[0]) == 3
    assert len(frames(table, 0.0, 80.0, "x")[0]) == 3  # the other way of counting
    times, values, notes = frames(table, 0.0, 50.0, "x")
    assert (len(times), values.shape) == (0, (0, 2))
    assert "5 rows for 50.0 s" in notes[0]
    assert frames(table, 0.0, 90.0, "x")[2]


def test_annotations_beyond_the_scale_are_cut_or_refused() -> None:
    table = np.array([[0, 0, 0], [1, 1.2, -0.5], [2, 0, 0]])
    _, values, notes = frames(table, 0.0, 25.0, "x")
    assert values.tolist() == [[1.0, -0.5]]
    assert notes == ["x: 1 annotations beyond 1 set to 1"]
    table[1, 1] = 7.0
    with pytest.raises(DatasetDamaged, match="reaches 7, wanted -1 to 1"):
        frames(table, 0.0, 25.0, "x")
    table[1] = 0
    with pytest.raises(DatasetDamaged, match="not in order"):
        frames(table, 0.0, 25.0, "x")


def test_the_order_of_cells_changes_nothing(
    changed: Callable[..., Amigos], content: Content, first: Recording
) -> None:
    order = np.random.default_rng(1).permutation(20)
    other = changed(**{name: content[name][:, order] for name in VARIABLES}).load("P01")
    assert other.trials == first.trials
    assert other.notes == first.notes
    for one, two in zip(other.streams, first.streams, strict=True):
        np.testing.assert_array_equal(one.data, two.data)


def test_people_who_watched_together_stay_together(tmp_path: Path) -> None:
    for number in (1, 3, 7, 8):
        (tmp_path / f"Data_Preprocessed_P{number:02d}.mat").write_bytes(b"")
    groups = Amigos(tmp_path).subject_groups
    assert set(groups) == {"P01", "P03", "P07"}
    assert groups["P01"] == groups["P07"] != groups["P03"]


def test_films_are_joined_by_participant_and_video(
    changed: Callable[..., Amigos], tmp_path: Path
) -> None:
    (tmp_path / "Exp1_P01_face").mkdir()
    film = tmp_path / "Exp1_P01_face" / "P1_4_face.mov"
    film.write_bytes(b"")
    dataset = changed()
    shown = by_video(dataset.load("P01"))
    assert shown["4"].video == film
    assert shown["4"].video_start == shown["4"].start
    assert shown["5"].video is None
    assert film in dataset.files("P01")


def test_misshapen_variables_are_refused(changed: Callable[..., Amigos], content: Content) -> None:
    turned = content["joined_data"][0, cell_of(content, "4")].T
    with pytest.raises(DatasetDamaged, match=r"video 4: joined_data.*wanted \(rows, 17\)"):
        changed(joined_data=altered(content, "joined_data", "4", turned)).load("P01")
    answers = np.ones((1, 12)) * 10
    with pytest.raises(DatasetDamaged, match="wanted 5 of 1 to 9"):
        changed(labels_selfassessment=altered(content, "labels_selfassessment", "4", answers)).load(
            "P01"
        )
    ids = altered(content, "VideoIDs", "4", np.array(["99"]))
    with pytest.raises(DatasetDamaged, match=r"'99' of cell .* unknown or doubled"):
        changed(VideoIDs=ids).load("P01")
    ids = altered(content, "VideoIDs", "4", np.array(["5"]))
    with pytest.raises(DatasetDamaged, match=r"'5' of cell .* unknown or doubled"):
        changed(VideoIDs=ids).load("P01")


def test_original_files_say_which_are_needed(tmp_path: Path, content: Content) -> None:
    kept = {name: content[name] for name in VARIABLES if name != "joined_data"}
    savemat(tmp_path / "Data_Preprocessed_P01.mat", kept)
    with pytest.raises(DatasetDamaged, match="no variable 'joined_data'"):
        Amigos(tmp_path).load("P01")


def test_one_participant_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Data_Preprocessed_P01.mat").write_bytes(b"")
    nested = tmp_path / "Data_Preprocessed_P01"
    nested.mkdir()
    (nested / "Data_Preprocessed_P01.mat").write_bytes(b"")
    with pytest.raises(DatasetDamaged, match="are both P01"):
        Amigos(tmp_path)


def test_a_trial_too_short_or_with_missing_answers_is_left_out(
    changed: Callable[..., Amigos], content: Content
) -> None:
    data = altered(content, "joined_data", "5", np.ones((BASELINE + 10, 17)))
    said = altered(content, "labels_selfassessment", "4", np.full((1, 12), np.nan))
    other = changed(joined_data=data, labels_selfassessment=said).load("P01")
    assert not {"4", "5"} & set(by_video(other))
    assert any("video 5: left out, it has 650 samples" in note for note in other.notes)
    assert any("video 4: left out, answers are missing" in note for note in other.notes)

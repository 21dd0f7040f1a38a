"""MAHNOB-HCI: sessions become one recording a person, joined by what their files say."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from biosense.core.errors import DatasetDamaged, DatasetIncomplete
from biosense.core.recording import Recording
from biosense.core.types import Chunk, Floats
from biosense.datasets.formats.bdf import Bdf
from biosense.datasets.mahnob.fabricate import (
    CLIP_S,
    MARGIN_S,
    fabricate,
    planted_frequency,
    rate_of,
    session_number,
)
from biosense.datasets.mahnob.files import RATED, read_attributes
from biosense.datasets.mahnob.reader import EEG, Mahnob


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mahnob")
    fabricate(folder, 2, 8)
    return folder


@pytest.fixture(scope="module")
def first(folder: Path) -> Recording:
    return Mahnob(folder).load("01")


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    shutil.copytree(folder, tmp_path / "copy")
    return tmp_path / "copy"


def xml_of(folder: Path, session: int) -> Path:
    return folder / "Sessions" / str(session) / "session.xml"


def set_attributes(path: Path, **changes: str | None) -> None:
    tree = ElementTree.parse(path)
    for name, value in changes.items():
        if value is None:
            del tree.getroot().attrib[name]
        else:
            tree.getroot().set(name, value)
    tree.write(path)


def within(chunk: Chunk, start: float, stop: float) -> Floats:
    inside = (chunk.times >= start - 1e-9) & (chunk.times < stop - 1e-9)
    return np.asarray(chunk.data[inside], dtype=np.float64)


def test_the_complete_set_has_547_rated_sessions() -> None:
    assert sum(RATED.values()) == 547
    assert not {12, 15} & set(RATED)


@pytest.mark.parametrize("participant", [1, 2])
def test_each_electrode_holds_its_own_frequency_in_volts(folder: Path, participant: int) -> None:
    recording = Mahnob(folder).load(f"{participant:02d}")
    eeg, trial = recording.stream("eeg"), recording.trials[0]
    assert eeg.info.sfreq == rate_of(participant)
    assert eeg.info.channels == EEG
    part = within(eeg, trial.start, trial.stop)
    part = part - part.mean(axis=0)
    peaks = np.fft.rfftfreq(len(part), 1 / eeg.info.sfreq)[
        np.abs(np.fft.rfft(part, axis=0)).argmax(axis=0)
    ]
    np.testing.assert_allclose(peaks, [planted_frequency(c) for c in range(len(EEG))])
    assert 1e-5 < np.abs(part).max() < 3e-5


def test_a_clip_lies_between_its_events_and_the_rest_before_it(first: Recording) -> None:
    eeg = first.stream("eeg")
    for trial in first.trials:
        assert trial.stop - trial.start == pytest.approx(CLIP_S)
        assert trial.baseline == pytest.approx(trial.start - MARGIN_S)
        rest = within(eeg, trial.start - MARGIN_S, trial.start)[:, 5]
        assert 0.4 < rest.std() / within(eeg, trial.start, trial.stop)[:, 5].std() < 0.65


def test_answers_are_those_of_the_session_file(first: Recording, folder: Path) -> None:
    shown = zip(first.trials, (2, 4), strict=True)
    for trial, number in shown:
        root = ElementTree.parse(xml_of(folder, session_number(1, number))).getroot()
        assert trial.stimulus == Path(root.attrib["mediaFile"]).stem
        said = {
            name: float(root.attrib[attribute])
            for name, attribute in (
                ("valence", "feltVlnc"),
                ("arousal", "feltArsl"),
                ("control", "feltCtrl"),
                ("predictability", "feltPred"),
                ("emotion", "feltEmo"),
            )
        }
        assert trial.raw == said
        assert trial.rating is not None
        assert trial.rating.valence == (said["valence"] - 5) / 4
        assert trial.rating.arousal == (said["arousal"] - 5) / 4


def test_body_signals_are_found_by_name_and_converted(first: Recording) -> None:
    one, two, three = np.ptp(first.stream("ecg").data, axis=0)
    assert two == pytest.approx(2 * one, rel=1e-3)
    assert three == pytest.approx(3 * one, rel=1e-3)
    assert 4e-4 < one < 7e-4
    eda = first.stream("eda")
    assert eda.info.unit == "S"
    assert 1e-6 < np.median(eda.data) < 1e-5
    assert any("taken as ohm" in note for note in first.notes)
    assert 30 < np.median(first.stream("temp").data) < 35
    assert 1900 < first.stream("resp").data.max() < 2100


def test_a_temperature_that_no_skin_has_is_not_trusted(copy: Path) -> None:
    path = next(xml_of(copy, 2).parent.glob("*.bdf"))
    bdf = Bdf(path)
    raw, place = path.read_bytes(), bdf.index("Temp")
    at = 256 + len(bdf.labels) * (16 + 80 + 8 + 8) + 8 * place  # physical maximum of Temp
    path.write_bytes(raw[:at] + b"10000".ljust(8) + raw[at + 8 :])
    recording = Mahnob(copy).load("01")
    temperature, trial = recording.stream("temp"), recording.trials[0]
    inside = (temperature.times >= trial.baseline) & (temperature.times < trial.stop)
    assert not temperature.ok[inside].any()
    assert temperature.ok[~inside].any()
    assert any("session 2: temp: median" in note for note in recording.notes)


def test_what_cannot_be_used_is_listed(first: Recording) -> None:
    assert [trial.stimulus for trial in first.trials] == ["53", "69"]
    assert f"session {session_number(1, 6)}: left out, 1 of 2 events" in "\n".join(first.notes)
    assert (
        f"session {session_number(1, 8)}: left out, no self-report (rest or tagging)" in first.notes
    )


def test_sessions_follow_each_other_by_number(folder: Path) -> None:
    second = Mahnob(folder).load("02")
    assert [trial.stimulus for trial in second.trials] == ["53", "69", "newyork_f"]
    for before, after in pairwise(second.trials):
        assert after.baseline is not None
        assert after.baseline - before.stop > 60
    assert (np.diff(second.stream("eeg").times) > 59).sum() == 2


def test_the_session_file_tells_the_person(copy: Path) -> None:
    path = xml_of(copy, session_number(2, 2))
    path.write_bytes(path.read_bytes().replace(b'subject id="2"', b'subject id="3"'))
    dataset = Mahnob(copy)
    assert list(dataset.subjects) == ["01", "02", "03"]
    assert len(dataset.load("03").trials) == 1
    assert len(dataset.load("02").trials) == 2


def test_sessions_at_another_rate_are_left_out_and_told(copy: Path) -> None:
    path = xml_of(copy, session_number(2, 2))
    path.write_bytes(path.read_bytes().replace(b'subject id="2"', b'subject id="1"'))
    recording = Mahnob(copy).load("01")
    assert recording.stream("eeg").info.sfreq == 256
    said = f"session {session_number(2, 2)}: left out, 512 Hz not 256"
    assert said in recording.notes


def test_the_film_of_the_colour_camera_is_joined(copy: Path) -> None:
    place = xml_of(copy, 2).parent
    film = place / "P1-Rec1-2009.07.09.17.53.46_C1 trigger _C_Section_2.avi"
    film.write_bytes(b"")
    (place / "P1-Rec1-2009.07.09.17.53.46_BW1_C_Section_2.avi").write_bytes(b"")
    dataset = Mahnob(copy)
    trial, other = dataset.load("01").trials
    assert (trial.video, trial.video_start) == (film, trial.baseline)
    assert other.video is None
    assert film in dataset.files("01")


def test_missing_files_and_sessions_are_listed(copy: Path) -> None:
    xml_of(copy, session_number(1, 8)).unlink()
    next(xml_of(copy, session_number(2, 2)).parent.glob("*.bdf")).unlink()
    dataset = Mahnob(copy)
    assert "Sessions/8/session.xml" in dataset.missing
    assert f"Sessions/{session_number(2, 2)}: .bdf" in dataset.missing
    assert "participant 01: 3 of 20 rated sessions" in dataset.missing
    assert "participant 02: 2 of 20 rated sessions" in dataset.missing
    said = f"session {session_number(2, 2)}: left out, no .bdf"
    assert said in dataset.load("02").notes


def test_a_set_without_self_reports_is_incomplete(copy: Path) -> None:
    for path in copy.glob("Sessions/*/session.xml"):
        if "feltArsl" in ElementTree.parse(path).getroot().attrib:
            set_attributes(path, feltArsl=None)
    with pytest.raises(DatasetIncomplete, match=r"feltArsl.*mahnob-db"):
        Mahnob(copy)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"feltArsl": "10"}, "feltArsl is '10', wanted 1 to 9"),
        ({"feltVlnc": "4.5"}, "feltVlnc is '4.5', wanted 1 to 9"),
        ({"feltEmo": "13"}, "feltEmo is '13', wanted 0 to 12"),
        ({"feltVlnc": None}, "not all of feltVlnc, mediaFile, subject id"),
        ({"mediaFile": None}, "not all of feltVlnc, mediaFile, subject id"),
    ],
)
def test_a_self_report_off_its_scale_is_damage(
    copy: Path, change: dict[str, str | None], said: str
) -> None:
    set_attributes(xml_of(copy, 2), **change)
    with pytest.raises(DatasetDamaged, match=said):
        Mahnob(copy)


HOSTILE = (
    '<!DOCTYPE s [<!ENTITY x SYSTEM "file:///etc/passwd">]><session mediaFile="&x;"/>',
    '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><session>&b;</session>',
    '<!DOCTYPE s SYSTEM "http://127.0.0.1:9/x.dtd"><session/>',
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("text", HOSTILE)
def test_a_document_type_is_refused(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "session.xml"
    path.write_bytes(text.encode(encoding))
    with pytest.raises(DatasetDamaged, match=r"session\.xml declares a document type"):
        read_attributes(path)


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"no xml", b"<session", b"<session><subject></session>", b"\xff\xfe\x00"),
        *(b'<?xml version="1.0" encoding="nonsense"?><session/>', b"<session>&x;</session>"),
    ],
)
def test_what_is_no_xml_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "session.xml"
    path.write_bytes(raw)
    with pytest.raises(DatasetDamaged, match=r"session\.xml"):
        read_attributes(path)


def test_an_endless_session_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "session.xml"
    path.write_bytes(b"<session>" + b" " * 2**20 + b"</session>")
    with pytest.raises(DatasetDamaged, match="1048"):
        read_attributes(path)

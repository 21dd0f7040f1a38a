"""A run records everything that its sources give, as they gave it, and what it made of it."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
import pyxdf

from biosense.acquisition.xdf.reader import XdfReader
from biosense.acquisition.xdf.recording_folder import XDF_NAME, read_sidecar
from biosense.core.stream_status import StreamState
from biosense.core.types import Chunk, Event, Modality
from biosense.estimation.processor import ProcessorSettings
from biosense.estimation.recorded_run import recorded_header
from biosense.live.output.status import RunStatus
from tests.support.recorded_runs import GAZE, MARK, SECONDS, WholeRun, recorded
from tests.support.scripted import Tap

STREAMS = {  # name in the run: whose, name at its source
    "sim-ecg": ("person", "sim-ecg"),
    "sim-eda": ("person", "sim-eda"),
    "sim-ecg (2)": ("second", "sim-ecg"),
    "sim-ppg": ("short", "sim-ppg"),
    "gaze": ("others", "gaze"),
    "triggers": ("others", "triggers"),
}


def joined(chunks: list[Chunk]) -> Chunk:
    parts = (np.concatenate([getattr(c, key) for c in chunks]) for key in ("times", "data", "ok"))
    return Chunk(chunks[0].info, *parts)


@pytest.mark.parametrize("name", STREAMS)
def test_every_sample_is_recorded_as_it_was_sent(whole: WholeRun, name: str) -> None:
    whose, own_name = STREAMS[name]
    tap: Tap = getattr(whole, whose)
    kept = joined(recorded(whole.outcome.folder)[name])
    assert kept.n > 0
    np.testing.assert_array_equal(kept.data, tap.samples(own_name))
    np.testing.assert_array_equal(kept.times, tap.times(own_name))
    assert whole.outcome.summary.streams[name].samples == kept.n


def test_the_streams_keep_their_descriptions(whole: WholeRun) -> None:
    infos = {info.name: info for info in XdfReader(whole.outcome.folder).infos}
    assert infos["gaze"] == GAZE
    assert infos["sim-ecg (2)"].source_id == "simulated-2-ecg"
    assert infos["sim-ecg"].source_id == "simulated-1-ecg"


def test_a_foreign_clock_is_recorded_with_its_stamps_and_offsets(whole: WholeRun) -> None:
    sent = [item for item in whole.second.items if isinstance(item, Chunk)]
    chunks = recorded(whole.outcome.folder)["sim-ecg (2)"]
    for chunk, original in zip(chunks, sent, strict=True):
        assert chunk.stamps is not None
        np.testing.assert_array_equal(chunk.stamps, original.stamps)
    assert abs(chunks[0].stamps[0] - chunks[0].times[0]) > 40


def test_the_recording_is_whole_and_other_programs_read_it(whole: WholeRun) -> None:
    assert XdfReader(whole.outcome.folder).complete
    assert whole.outcome.folder.name.endswith("_P07")
    streams, _ = pyxdf.load_xdf(
        str(whole.outcome.folder / XDF_NAME), dejitter_timestamps=False, verbose=False
    )
    counts = {s["info"]["name"][0]: len(s["time_stamps"]) for s in streams}
    assert {name: counts[name] for name in STREAMS} == {
        name: stream.samples for name, stream in whole.outcome.summary.streams.items()
    }


def test_estimates_come_at_4_hz_on_the_session_grid(whole: WholeRun) -> None:
    times = joined(recorded(whole.outcome.folder)["biosense-affect"]).times
    steps = times / 0.25
    np.testing.assert_array_equal(steps, np.rint(steps))
    assert set(np.diff(steps)) == {1.0}
    start = whole.person.times("sim-ecg")[0]
    assert times[0] - start < 2.5
    assert times[-1] - start > SECONDS - 0.5
    assert whole.outcome.summary.estimates == len(times)
    assert whole.outcome.summary.estimate_hz == pytest.approx(4.0)


def test_estimates_name_their_channels_as_designed(whole: WholeRun) -> None:
    (info,) = (i for i in XdfReader(whole.outcome.folder).infos if i.name == "biosense-affect")
    weights = tuple(f"weight_{modality}" for modality in whole.loaded.model.modalities)
    assert info.channels == ("valence", "arousal", "sd_valence", "sd_arousal", *weights)


def test_the_header_says_what_the_estimates_were_made_with(whole: WholeRun) -> None:
    header = recorded_header(XdfReader(whole.outcome.folder))
    assert header is not None
    assert header.settings == ProcessorSettings()
    assert header.model == str(whole.checkpoint)
    assert header.model_digest == whole.loaded.digest
    # the second ECG and the gaze are used for nothing
    assert header.first_samples == {
        name: recorded(whole.outcome.folder)[name][0].times[0]
        for name in ("sim-ecg", "sim-eda", "sim-ppg")
    }


def test_a_marker_is_recorded_with_its_time(whole: WholeRun) -> None:
    (chunk,) = recorded(whole.outcome.folder)["biosense-markers"]
    assert chunk.data[0, 0] == MARK
    moment = next(item for item in whole.person.items[700:] if isinstance(item, Chunk))
    assert chunk.times[0] == pytest.approx(moment.times[-1], abs=0.2)


def test_events_are_recorded_and_reported_alike(whole: WholeRun) -> None:
    items = XdfReader(whole.outcome.folder).items()
    assert [item for item in items if isinstance(item, Event)] == whole.outcome.events
    assert whole.outcome.said("sim-eda") == [
        "lost: sensor unplugged",
        "recovered: sensor plugged in again",
    ]


def test_a_second_stream_of_a_modality_is_recorded_only_and_said_so(whole: WholeRun) -> None:
    (text,) = whole.outcome.said("sim-ecg (2)")
    assert text == "error: recorded, not processed: 'sim-ecg' is already the ecg of this run"
    assert {status.modality for status in whole.outcome.statuses[-1].streams} >= {"ecg", "eda"}


def test_features_are_recorded_with_their_quality(whole: WholeRun) -> None:
    kept = recorded(whole.outcome.folder)
    assert {name for name in kept if name.startswith("biosense-features-")} == {
        "biosense-features-ecg",
        "biosense-features-eda",
        "biosense-features-ppg",
    }
    features = joined(kept["biosense-features-ecg"])
    expected = (*whole.loaded.info.features[Modality.ECG], "quality")
    assert features.info.channels == expected
    rate = features.data[-1, expected.index("heart_rate")]
    assert 40 < rate < 120


def test_the_gap_of_an_unplugged_sensor_is_counted(whole: WholeRun) -> None:
    eda = whole.outcome.summary.streams["sim-eda"]
    assert eda.gaps == 1
    assert eda.samples + eda.lost == pytest.approx(128 * SECONDS, abs=2)
    assert whole.outcome.summary.streams["sim-ecg"].lost == 0


def test_the_last_status_tells_of_every_stream(whole: WholeRun) -> None:
    first, last = whole.outcome.statuses[0], whole.outcome.statuses[-1]
    names = [stream.name for stream in last.streams]
    assert names == [*STREAMS, "biosense-markers"]
    assert {s.state for s in first.streams} == {StreamState.WAITING}
    assert last.participant == "P07"
    assert last.recording == str(whole.outcome.folder)
    assert RunStatus.from_json(json.loads(json.dumps(last.to_json()))).streams[0].samples > 0


def test_the_summary_is_the_object_of_the_design(whole: WholeRun) -> None:
    def no_constant(text: str) -> None:
        raise AssertionError(f"{text} is no JSON")

    line = whole.outcome.summary.to_json()
    assert "\n" not in line
    values = json.loads(line, parse_constant=no_constant)
    assert list(values) == [
        "seconds",
        "streams",
        "estimates",
        "estimate_hz",
        "latency_ms",
        "cpu_cores",
        "rss_mb",
        "recording",
    ]
    assert list(values["streams"]) == list(STREAMS)
    assert list(values["streams"]["gaze"]) == ["samples", "rate_hz", "gaps", "lost"]
    assert list(values["latency_ms"]) == ["p50", "p95", "p99", "max"]
    assert asdict(whole.outcome.summary)["errors"] == ()


def test_the_sidecar_tells_software_and_settings(whole: WholeRun) -> None:
    said = read_sidecar(whole.outcome.folder)
    assert set(said.software) >= {"biosense", "python", "numpy", "pylsl", "torch"}
    assert len(said.config) == 16
    assert said.consent == {"video": False}

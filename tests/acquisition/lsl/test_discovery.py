import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from biosense.acquisition.lsl import find_streams, resolve
from biosense.acquisition.lsl.discovery import FoundStream, Searcher
from biosense.core.errors import BadInput, StreamNotFound
from biosense.core.types import Modality
from biosense.live.output.lsl_outlet import LslOutlet
from tests.support.lsl.streams import describe

CAP = FoundStream("cap", "EEG", 8, 250.0, "float32", "cap-17", "lab", "1")


@pytest.fixture(scope="module")
def outlets():
    chest = describe("chest", modality=Modality.ECG, channels=("ecg",), dtype="int16", sfreq=130.0)
    opened = [
        LslOutlet(chest),
        LslOutlet(describe("band", modality=Modality.EDA, channels=("eda",), dtype="float64")),
        LslOutlet(describe("twin", source_id="left")),
        LslOutlet(describe("twin", source_id="right")),
        LslOutlet(
            replace(
                describe("a=b", source_id="odd", dtype="str", channels=("marker",), sfreq=0.0),
                content_type="Markers",
                modality=None,
            )
        ),
    ]
    yield opened
    for outlet in opened:
        outlet.close()


def test_all_streams_of_this_computer_are_found(outlets):
    found = {stream.source_id: stream for stream in find_streams(0.5)}
    assert set(found) == {"id-chest", "id-band", "left", "right", "odd"}
    chest = found["id-chest"]
    facts = (chest.name, chest.content_type, chest.n_channels, chest.sfreq, chest.dtype)
    assert facts == ("chest", "ECG", 1, 130.0, "int16")
    assert chest.hostname
    assert chest.uid
    assert found["odd"].dtype == "str"


@pytest.mark.parametrize(
    ("wanted", "source_id"),
    [
        ("chest", "id-chest"),
        ("id-chest", "id-chest"),
        ("type=ECG", "id-chest"),
        ("source_id=right", "right"),
        ("right", "right"),
        ("a=b", "odd"),
    ],
)
def test_a_stream_is_meant_by_name_id_or_property(outlets, wanted, source_id):
    assert resolve(wanted, 3.0).source_id == source_id


def test_two_of_one_name_are_not_guessed_between(outlets):
    with pytest.raises(BadInput, match="2 LSL streams match 'twin'") as error:
        resolve("twin", 3.0)
    assert "source_id=left" in str(error.value)
    assert "source_id=right" in str(error.value)


def test_a_miss_says_what_was_wanted_what_there_is_and_what_to_do(outlets):
    with pytest.raises(StreamNotFound) as error:
        resolve("wrist", 0.3)
    message = str(error.value)
    assert "no LSL stream 'wrist' within 0.3 s on this computer only" in message
    assert "--lan" in message
    assert "'chest' (type=ECG, 1 channels, 130 Hz, source_id=id-chest" in message


def test_an_unknown_key_is_answered_with_the_known_ones(outlets):
    with pytest.raises(StreamNotFound, match="key=value can ask for name, type, source_id"):
        resolve("colour=red", 0.3)


def test_a_search_can_be_given_up(outlets):
    with pytest.raises(StreamNotFound):
        resolve("wrist", 60.0, give_up=lambda: True)


def test_a_search_needs_time():
    with pytest.raises(BadInput, match="must be positive"):
        find_streams(0.0)


def test_what_a_run_says_of_itself_is_meant_only_by_its_name():
    own = FoundStream(
        "biosense-markers", "Markers", 1, 0.0, "str", "biosense-markers-5e0c", "lab", "1"
    )
    named = ("biosense-markers", "source_id=biosense-markers-5e0c", "name=biosense-markers")
    assert all(own.matches(wanted) for wanted in named)
    assert not own.matches("type=Markers")
    assert not own.matches("hostname=lab")


def test_who_asks_while_a_look_is_under_way_waits_for_the_next_one():
    begun, go_on = threading.Event(), threading.Event()
    queries = []

    def query():
        queries.append(len(queries))
        begun.set()
        assert go_on.wait(5)
        return (
            FoundStream(f"look {queries[-1]}", "", 1, 0.0, "int8", "", "lab", str(queries[-1])),
        )

    searcher = Searcher(query)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(searcher.query)
        assert begun.wait(5)
        later = [pool.submit(searcher.query) for _ in range(7)]
        go_on.set()
    assert first.result()[0].name == "look 0"
    assert len(queries) <= 1 + 7
    assert all(each.result()[0].name != "look 0" for each in later)
    assert searcher.queries == len(queries)


def test_a_look_that_fails_does_not_stop_the_next_one():
    answers = iter([OSError("no network"), (CAP,)])

    def query():
        answer = next(answers)
        if isinstance(answer, OSError):
            raise answer
        return answer

    searcher = Searcher(query)
    with pytest.raises(OSError, match="no network"):
        searcher.query()
    assert searcher.query() == (CAP,)
    assert searcher.known(1) == ()
    assert searcher.known(2) == (CAP,)


def test_a_twin_is_another_outlet_that_says_the_same_of_itself():
    twin, other = replace(CAP, uid="2"), replace(CAP, uid="3", source_id="x")
    searcher = Searcher(lambda: (CAP, twin, other))
    assert not searcher.has_twin(CAP)  # nobody has looked yet
    searcher.query()
    assert searcher.has_twin(CAP)
    assert not searcher.has_twin(other)

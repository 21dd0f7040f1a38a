"""Which of the streams within reach is one that was lost."""

from dataclasses import replace

import pytest

from biosense.acquisition.lsl.discovery import FoundStream
from biosense.acquisition.lsl.stream_identity import SenderState, changes, find_sender
from tests.support.lsl.streams import describe

CAP = FoundStream("cap", "EEG", 8, 250.0, "float32", "cap-17", "lab", "1")
NAMELESS = replace(CAP, source_id="")
OTHER = FoundStream("band", "EDA", 1, 4.0, "float32", "band-2", "lab", "9")


def again(found=CAP, **changed):
    return replace(found, **({"uid": "2"} | changed))


@pytest.mark.parametrize(
    ("lost", "found", "expected"),
    [
        (CAP, [], SenderState.AWAY),
        (CAP, [OTHER], SenderState.AWAY),
        (CAP, [CAP, OTHER], SenderState.ALIVE),
        (CAP, [CAP, again()], SenderState.ALIVE),
        (CAP, [again()], SenderState.BACK),
        (CAP, [again(sfreq=500.0)], SenderState.BACK),
        (CAP, [again(hostname="elsewhere")], SenderState.BACK),
        (CAP, [again(name="helmet")], SenderState.BACK),
        (CAP, [again(source_id="98113")], SenderState.BACK),
        (CAP, [again(source_id="98113", hostname="elsewhere")], SenderState.AWAY),
        (CAP, [again(name="helmet", source_id="98113")], SenderState.AWAY),
        (CAP, [again(name="helmet", content_type="ECG")], SenderState.AWAY),
        (CAP, [again(), again(uid="3")], SenderState.UNCLEAR),
        (CAP, [again(name="a"), again(name="b", uid="3")], SenderState.UNCLEAR),
        (CAP, [again(n_channels=9)], SenderState.RESHAPED),
        (CAP, [again(dtype="int16")], SenderState.RESHAPED),
        (CAP, [again(n_channels=9), again(uid="3")], SenderState.BACK),
        (NAMELESS, [again(NAMELESS)], SenderState.BACK),
        (NAMELESS, [again(NAMELESS, name="helmet")], SenderState.AWAY),
        (NAMELESS, [again(NAMELESS, n_channels=9)], SenderState.RESHAPED),
    ],
)
def test_what_is_seen_of_a_lost_stream(lost, found, expected):
    assert find_sender(lost, found, before=[lost, OTHER]).state is expected


def test_the_stream_itself_comes_before_one_that_could_be_it():
    helmet, cap = again(name="helmet", uid="3"), again()
    assert find_sender(CAP, [helmet, cap], before=[CAP]).found == (cap,)


def test_a_stream_that_was_there_before_is_never_taken_for_a_lost_one():
    left, right = replace(NAMELESS, uid="L"), replace(NAMELESS, uid="R")
    assert find_sender(left, [right], before=[left, right]).state is SenderState.AWAY
    assert find_sender(left, [right, again(NAMELESS)], before=[left, right]).found == (
        again(NAMELESS),
    )


def test_another_stream_of_the_same_device_is_not_taken_for_a_lost_one_when_both_come_back():
    left, right = replace(CAP, name="left", uid="L"), replace(CAP, name="right", uid="R")
    assert (
        find_sender(left, [replace(right, uid="2")], before=[left, right]).state is SenderState.AWAY
    )


def test_changes_are_told_with_both_sides():
    info = describe("cap", channels=("C3", "C4"), sfreq=250.0, unit="uV")
    assert changes(info, info) == ""
    assert changes(info, replace(info, channels=("C4", "C3"), unit="")) == (
        "unit unknown instead of uV, channels C4, C3 instead of C3, C4"
    )

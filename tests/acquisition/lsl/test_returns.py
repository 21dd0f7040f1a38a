"""Which of the streams within reach is one that was lost."""

from dataclasses import replace

import pytest

from biosense.acquisition.lsl.discovery import Found
from biosense.acquisition.lsl.stream_identity import Sight, changes, sight
from tests.support.lsl_streams import describe

CAP = Found("cap", "EEG", 8, 250.0, "float32", "cap-17", "lab", "1")
NAMELESS = replace(CAP, source_id="")
OTHER = Found("band", "EDA", 1, 4.0, "float32", "band-2", "lab", "9")


def again(found=CAP, **changed):
    return replace(found, **({"uid": "2"} | changed))


@pytest.mark.parametrize(
    ("lost", "found", "expected"),
    [
        (CAP, [], Sight.AWAY),
        (CAP, [OTHER], Sight.AWAY),
        (CAP, [CAP, OTHER], Sight.ALIVE),
        (CAP, [CAP, again()], Sight.ALIVE),
        (CAP, [again()], Sight.BACK),
        (CAP, [again(sfreq=500.0)], Sight.BACK),
        (CAP, [again(hostname="elsewhere")], Sight.BACK),
        (CAP, [again(name="helmet")], Sight.BACK),
        (CAP, [again(source_id="98113")], Sight.BACK),
        (CAP, [again(source_id="98113", hostname="elsewhere")], Sight.AWAY),
        (CAP, [again(name="helmet", source_id="98113")], Sight.AWAY),
        (CAP, [again(name="helmet", content_type="ECG")], Sight.AWAY),
        (CAP, [again(), again(uid="3")], Sight.UNCLEAR),
        (CAP, [again(name="a"), again(name="b", uid="3")], Sight.UNCLEAR),
        (CAP, [again(n_channels=9)], Sight.RESHAPED),
        (CAP, [again(dtype="int16")], Sight.RESHAPED),
        (CAP, [again(n_channels=9), again(uid="3")], Sight.BACK),
        (NAMELESS, [again(NAMELESS)], Sight.BACK),
        (NAMELESS, [again(NAMELESS, name="helmet")], Sight.AWAY),
        (NAMELESS, [again(NAMELESS, n_channels=9)], Sight.RESHAPED),
    ],
)
def test_what_is_seen_of_a_lost_stream(lost, found, expected):
    assert sight(lost, found, before=[lost, OTHER]).sight is expected


def test_the_stream_itself_comes_before_one_that_could_be_it():
    helmet, cap = again(name="helmet", uid="3"), again()
    assert sight(CAP, [helmet, cap], before=[CAP]).found == (cap,)


def test_a_stream_that_was_there_before_is_never_taken_for_a_lost_one():
    left, right = replace(NAMELESS, uid="L"), replace(NAMELESS, uid="R")
    assert sight(left, [right], before=[left, right]).sight is Sight.AWAY
    assert sight(left, [right, again(NAMELESS)], before=[left, right]).found == (again(NAMELESS),)


def test_another_stream_of_the_same_device_is_not_taken_for_a_lost_one_when_both_come_back():
    left, right = replace(CAP, name="left", uid="L"), replace(CAP, name="right", uid="R")
    assert sight(left, [replace(right, uid="2")], before=[left, right]).sight is Sight.AWAY


def test_changes_are_told_with_both_sides():
    info = describe("cap", channels=("C3", "C4"), sfreq=250.0, unit="uV")
    assert changes(info, info) == ""
    assert changes(info, replace(info, channels=("C4", "C3"), unit="")) == (
        "unit unknown instead of uV, channels C4, C3 instead of C3, C4"
    )

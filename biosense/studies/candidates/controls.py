"""Controls: candidates without physiology, or with it destroyed; a result must beat them.

On CASE a table of training means of each video, without any signal, beats every published entry;
so each result is printed beside what such tables reach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from biosense.core.errors import BadInput
from biosense.core.registry import Registry
from biosense.studies.base import Candidate, StudyData
from biosense.studies.candidates.lookup import (
    ClassPrior,
    OwnMean,
    OwnMeanOfOthers,
    PositionMean,
    StimulusMean,
    TimeCourse,
    TrainMean,
    TrainMedian,
)
from biosense.studies.candidates.without_signal import NoisePhysiology, Permuted
from biosense.studies.splits.protocols import PROTOCOLS

EVERYWHERE = ("subject", "stimulus", "subject-stimulus", "time")
KNOWN_STIMULI = ("subject", "time")
KNOWN_PEOPLE = ("stimulus", "time")


@dataclass(frozen=True)
class Control:
    """Say what a control is, where it means something, and how it is made.

    Parameters
    ----------
    name
        Its key in `CONTROLS` and the name of the candidate without a base.
    meaning
        What it knows, for tables.
    protocols
        Where it knows anything.
    needs_base
        Whether it wraps a candidate, which it fits anew.
    needs_labels
        Whether it reads labels of the test person: no fair rival, only a mark.
    make
        Takes the data and the base candidate.
    """

    name: str
    meaning: str
    protocols: tuple[str, ...]
    make: Callable[[StudyData, Candidate | None], Candidate]
    needs_base: bool = False
    needs_labels: bool = False


def _plain(candidate: Candidate, meaning: str, protocols: tuple[str, ...] = EVERYWHERE) -> Control:
    return Control(candidate.name, meaning, protocols, lambda data, base: candidate)


def _wrapped(name: str, meaning: str, wrap: Callable[[Candidate], Candidate]) -> Control:
    def make(data: StudyData, base: Candidate | None) -> Candidate:
        if base is None:
            raise BadInput(f"the control {name!r} needs a candidate to fit; give one as base")
        return wrap(base)

    return Control(name, meaning, EVERYWHERE, make, needs_base=True)


_ALL: Sequence[Control] = (
    _plain(TrainMean(), "one mean for everything"),
    _plain(StimulusMean(), "the mean of each stimulus", KNOWN_STIMULI),
    _plain(
        TimeCourse("stimulus time course", per_stimulus=True),
        "the mean time course of each stimulus",
        KNOWN_STIMULI,
    ),
    _plain(TimeCourse("time in trial"), "the mean time course of all trials"),
    _plain(PositionMean(), "the mean at each position in the session"),
    _plain(OwnMean(), "the person's own mean over the training trials", KNOWN_PEOPLE),
    Control(
        "own mean of others",
        "the person's own mean over all other trials: needs labels of the test person",
        EVERYWHERE,
        lambda data, base: OwnMeanOfOthers.of(data.sequences),
        needs_labels=True,
    ),
    _plain(TrainMedian(), "the majority: the training median is in the larger class"),
    _plain(ClassPrior(), "a training trial's rating, drawn at random"),
    _wrapped("noise physiology", "features replaced by noise", NoisePhysiology),
    _wrapped(
        "permuted within people", "each person's training labels permuted over trials", Permuted
    ),
    _wrapped(
        "permuted over all",
        "training labels permuted over all trials",
        lambda base: Permuted(base, within_subjects=False),
    ),
)

CONTROLS: Registry[Control] = Registry("control", {control.name: control for control in _ALL})


def controls_for(
    data: StudyData, protocol: str, base: Candidate | None = None
) -> Mapping[str, Candidate]:
    """Return the controls that mean something for a data set under a protocol, by name.

    Parameters
    ----------
    base
        What "noise physiology" and the permutations fit; without one they are left out.

    Examples
    --------
    >>> from biosense.testing.labelled_data import trial_offset_noise
    >>> names = controls_for(trial_offset_noise(4, 4), "subject-stimulus")
    >>> "stimulus mean" in names, "train mean" in names
    (False, True)
    """
    rule = PROTOCOLS[protocol]
    return {
        name: control.make(data, base)
        for name, control in CONTROLS.items()
        if rule.name in control.protocols and (base is not None or not control.needs_base)
    }

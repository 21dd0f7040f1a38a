"""Names of EEG channels and caps, their positions, and references."""

import numpy as np
import pytest

from biosense.core import Chunk, Modality, StreamInfo
from biosense.core.errors import BadInput
from biosense.processing.eeg.layouts import LAYOUTS, layout
from biosense.processing.eeg.montage import read_montage, site_of
from biosense.processing.eeg.reference import Reference
from biosense.processing.offline.eeg_positions import channel_positions


@pytest.mark.parametrize(
    ("name", "site"),
    [
        ("Fp1", "FP1"),
        ("fpz", "FPZ"),
        ("EEG Fp1-Ref", "FP1"),
        ("EEG.AF3", "AF3"),
        ("EEG T3", "T7"),
        ("t6", "P8"),
        ("AFF1h", "AFF1H"),
        ("PO9", "PO9"),
        ("Ch4", None),
        ("fp1", "FP1"),
        ("EEG Fpz-Cz", "FPZ"),
        ("EEG F3-LE", "F3"),
        ("T3", "T7"),
        ("Fc5.", "FC5"),
        ("POz", "POZ"),
        ("AFF5h", "AFF5H"),
        ("Ch 3", None),
        ("EEG 001", None),
        ("M1", None),
    ],
)
def test_a_name_means_its_site(name, site):
    assert site_of(name) == site


@pytest.mark.parametrize("name", list(LAYOUTS))
def test_every_channel_of_a_known_cap_is_understood(name):
    channels = layout(name)
    assert len(set(channels)) == len(channels)
    montage = read_montage(channels)
    assert montage.eeg.all()
    known = [site_of(channel) is not None for channel in channels if not channel.startswith("CB")]
    assert all(known)
    assert len(montage.left) >= 2


def test_deap_has_the_14_pairs_of_its_feature_set():
    channels = layout("DEAP")
    montage = read_montage(channels)
    assert len(channels) == 32
    assert len(montage.left) == 14
    assert channels[montage.left[0]], channels[montage.right[0]] == ("Fp1", "Fp2")


def test_half_sites_have_partners():
    montage = read_montage(("AFF1h", "AFF2h", "Cz"))
    assert (montage.left, montage.right) == ((0,), (1,))


def test_mastoids_ears_and_sensors_of_headbands_are_no_eeg():
    names = ("AF7", "AF8", "M1", "A2", "Right AUX", "EEG VEOG", "CQ.AF3", "COUNTER")
    montage = read_montage(names)
    assert montage.eeg.tolist() == [True, True] + [False] * 6
    assert montage.ears == (2, 3)
    assert montage.eyes == (5,)


@pytest.mark.parametrize(
    "names", [[f"A{n}" for n in range(1, 33)] + ["C3", "C4"], [f"C{n}" for n in range(1, 9)]]
)
def test_numbered_channels_are_not_taken_for_sites(names):
    montage = read_montage(names)
    assert montage.members[1:].sum() == 0
    assert montage.members[0].all()


def test_other_sensors_on_a_cap_are_no_eeg():
    montage = read_montage(["Cz", "VEOG", "EMG1", "EEG F3"])
    assert montage.eeg.tolist() == [True, False, False, True]


def test_numbered_channels_have_no_ears():
    montage = read_montage([f"A{n}" for n in range(1, 33)])
    assert montage.eeg.all()
    assert montage.ears == ()


def test_an_unknown_cap_is_refused_with_those_that_are_known():
    with pytest.raises(BadInput, match="emotiv epoc, "):
        layout("neurocap 3000")


def test_positions_are_those_of_mne():
    places = channel_positions(("EEG T3-Ref", "T4", "Cz", "VEOG", "what"))
    assert np.isnan(places[3:]).all()
    assert places[0, 0] < -0.07 < 0.07 < places[1, 0]  # metres; x points right
    assert places[2, 2] > 0.08
    assert np.isfinite(channel_positions(layout("deap"), "biosemi64")).all()
    with pytest.raises(BadInput, match="MNE has no montage 'hat'"):
        channel_positions(("Cz",), "hat")


def referenced(kind, channels, data):
    info = StreamInfo("cap", Modality.EEG, channels, 128.0, "V")
    stage = Reference(kind)
    stage.start(info)
    data = np.asarray(data, float)
    return stage.push(Chunk.of(info, np.arange(len(data)) / 128.0, data))[0].data


def test_the_average_of_the_eeg_channels_becomes_zero():
    data = np.random.default_rng(0).standard_normal((50, 5))
    result = referenced("average", ("F3", "F4", "Cz", "M1", "VEOG"), data)
    assert result[:, :3].mean(axis=1) == pytest.approx(0, abs=1e-12)
    assert np.array_equal(result[:, 3:], data[:, 3:])


def test_a_change_of_the_recorded_reference_makes_no_difference():
    data = np.random.default_rng(0).standard_normal((50, 3))
    shifted = data + np.sin(np.arange(50))[:, None]
    for kind, channels in (("average", ("F3", "F4", "Cz")), ("linked", ("F3", "M1", "M2"))):
        assert referenced(kind, channels, shifted) == pytest.approx(
            referenced(kind, channels, data)
        )


def test_linked_mastoids_go_on_with_the_one_that_has_a_value():
    result = referenced(
        "linked", ("Cz", "A1", "A2"), [[5, 1, 3], [5, np.nan, 3], [5, *[np.nan] * 2]]
    )
    assert result[:2, 0].tolist() == [3.0, 2.0]
    assert np.isnan(result[2, 0])


def test_a_missing_channel_leaves_the_average_of_the_others():
    result = referenced("average", ("F3", "F4", "Cz"), [[1, np.nan, 3]])
    assert result[0, [0, 2]].tolist() == [-1.0, 1.0]


def test_no_reference_changes_nothing():
    data = np.random.default_rng(0).standard_normal((5, 2))
    assert np.array_equal(referenced("none", ("F3", "F4"), data), data)


def test_impossible_references_are_refused():
    with pytest.raises(BadInput, match="no channel M1"):
        referenced("linked", ("F3", "F4"), np.zeros((1, 2)))
    with pytest.raises(BadInput, match="at least 2"):
        referenced("average", ("F3", "VEOG"), np.zeros((1, 2)))
    with pytest.raises(BadInput, match="must be one of"):
        Reference("nose")

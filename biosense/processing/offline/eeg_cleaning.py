"""Take blinks, muscle, heart and line noise out of whole EEG recordings by ICA and ICLabel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np

from biosense.core.errors import BadInput, MissingExtra
from biosense.core.extras import need
from biosense.core.types import Floats

if TYPE_CHECKING:
    import mne

ARTEFACTS = ("eye blink", "muscle artifact", "heart beat", "line noise", "channel noise")
"""Classes of ICLabel that are taken out; "brain" and "other" stay."""

LABELS = (
    *("brain", "muscle artifact", "eye blink", "heart beat", "line noise", "channel noise"),
    "other",
)
BAND_HZ = (1.0, 100.0)  # what ICLabel was trained on (Pion-Tonachini et al., NeuroImage 198, 2019)
SAMPLES_PER_WEIGHT = 20  # samples that ICA needs for each of components x components weights
_LEAST_COMPONENTS = 4
_EOG_MATCH = 0.7  # correlation with an EOG channel from which on a component is one of the eyes


@dataclass(frozen=True)
class Component:
    """Hold one independent component and what was made of it.

    Parameters
    ----------
    index
        Its number in the decomposition, most variance first.
    label, probability
        The most likely class of ICLabel, and how likely it is.
    variance
        Share of the variance of the EEG that goes with it, 0 to 1.
    why
        Why it was taken out, empty where it stays.
    """

    index: int
    label: str
    probability: float
    variance: float
    why: str = ""


@dataclass(frozen=True, eq=False)
class IcaCleaning:
    """Hold a recording without its artefacts, and what was taken out of it.

    Parameters
    ----------
    raw
        The recording, EEG to average reference; other channels as they were.
    ica
        The decomposition (`mne.preprocessing.ICA`), for plots and for other recordings.
    components
        All of them, with the reason where one was taken out. Its text is a table of them.
    notes
        What should be known when the labels are read.
    """

    raw: mne.io.BaseRaw
    ica: Any
    components: tuple[Component, ...]
    notes: tuple[str, ...] = ()

    @property
    def removed(self) -> tuple[Component, ...]:
        """The components that were taken out."""
        return tuple(each for each in self.components if each.why)

    def __str__(self) -> str:
        lines = ["component  variance  label            probability  taken out because"]
        lines += [
            f"{each.index:9d}  {100 * each.variance:6.1f} %  {each.label:15s}  "
            f"{each.probability:11.2f}  {each.why}".rstrip()
            for each in self.components
        ]
        return "\n".join([*lines, *self.notes])


def clean_by_ica(
    raw: mne.io.BaseRaw,
    *,
    n_components: int | None = None,
    artefacts: Sequence[str] = ARTEFACTS,
    min_probability: float = 0.8,
    seed: int = 0,
) -> IcaCleaning:
    """Take the artefacts out of a whole EEG recording.

    Extended infomax ICA on a copy at average reference, filtered from 1 to 100 Hz, is what ICLabel
    [1]_ was made for; the components that it is sure of are taken out of the recording, which
    itself is not filtered. Components that follow an EOG channel (correlation 0.7) are taken out as
    well. Spans annotated as bad are not learnt from.

    Parameters
    ----------
    raw
        A recording with EEG channels of known places, see `to_raw`; it is not changed.
    n_components
        How many components; None takes one less than channels, and fewer where the recording is too
        short for so many (20 samples for each weight).
    artefacts
        Classes of `LABELS` to take out.
    min_probability
        How likely the class must be.
    seed
        Of the decomposition.

    Returns
    -------
    IcaCleaning
        The recording without them, and what was taken out.

    Raises
    ------
    BadInput
        If there are too few EEG channels with a place, or the recording is too short.
    MissingExtra
        If MNE, mne-icalabel, or both of onnxruntime and torch are not installed.

    References
    ----------
    .. [1] L. Pion-Tonachini, K. Kreutz-Delgado and S. Makeig, "ICLabel: an automated
       electroencephalographic independent component classifier, dataset, and website," NeuroImage
       198, 181-197, 2019.
    """
    backend = _backend()
    import mne

    if unknown := set(artefacts) - set(LABELS):
        raise BadInput(f"artefacts={sorted(unknown)} must be among {', '.join(LABELS)}")
    _check_places(raw)
    clean = raw.copy().load_data(verbose="error")
    clean.set_eeg_reference("average", projection=False, verbose="error")
    band = _filtered(clean)
    count = _count(raw, n_components)
    ica = mne.preprocessing.ICA(
        count, method="infomax", fit_params={"extended": True}, random_state=seed, verbose="error"
    )
    ica.fit(band, picks="eeg", verbose="error")
    scores = _labelled(band, ica, backend)
    components = _decide(scores, _variances(ica, band), _eog(band, ica), artefacts, min_probability)
    ica.exclude = [each.index for each in components if each.why]
    ica.apply(clean, verbose="error")
    return IcaCleaning(clean, ica, components, _notes(raw))


def _backend() -> str:
    for library in ("mne", "mne_icalabel"):
        need(library)
    if find_spec("onnxruntime") is not None:
        return "onnx"
    if find_spec("torch") is not None:
        return "torch"
    raise MissingExtra(
        "ICLabel needs onnxruntime or torch: pip install 'biosense[onnx]' (smaller) or "
        "'biosense[ml]'"
    )


def _check_places(raw: mne.io.BaseRaw) -> None:
    eeg = _picked(raw)
    nowhere = [
        name
        for name, pick in zip(eeg.names, eeg.picks, strict=True)
        if not np.isfinite(place := raw.info["chs"][pick]["loc"][:3]).all() or not place.any()
    ]
    if len(eeg.names) <= _LEAST_COMPONENTS:
        raise BadInput(f"{len(eeg.names)} EEG channels are too few for ICA; 16 or more are usual")
    if nowhere:
        raise BadInput(
            f"channels {', '.join(nowhere)} have no place on the head, which ICLabel needs: set a "
            "montage, or mark them in raw.info['bads']"
        )


@dataclass(frozen=True)
class _Picked:
    picks: list[int]
    names: list[str]


def _picked(raw: mne.io.BaseRaw) -> _Picked:
    kinds = raw.get_channel_types()
    good = [n for n, kind in enumerate(kinds) if kind == "eeg"]
    good = [n for n in good if raw.ch_names[n] not in raw.info["bads"]]
    return _Picked(good, [raw.ch_names[n] for n in good])


def _filtered(raw: mne.io.BaseRaw) -> mne.io.BaseRaw:
    low, high = BAND_HZ
    slow = raw.info["sfreq"] / 2 <= high
    return raw.copy().filter(low, None if slow else high, picks=["eeg", "eog"], verbose="error")


def _count(raw: mne.io.BaseRaw, wanted: int | None) -> int:
    channels = len(_picked(raw).names)
    if wanted is not None:
        if not 1 < wanted < channels:
            raise BadInput(
                f"n_components={wanted} must be 2 to {channels - 1}: the average reference leaves "
                f"{channels - 1} of {channels} channels independent"
            )
        return wanted
    most = int(np.sqrt(len(raw.times) / SAMPLES_PER_WEIGHT))
    if most < _LEAST_COMPONENTS:
        raise BadInput(f"{raw.times[-1]:.0f} s are too short for ICA: minutes are needed")
    return min(channels - 1, most)


def _labelled(raw: mne.io.BaseRaw, ica: Any, backend: str) -> Floats:
    """Return the probability of each class, shape (components, classes)."""
    import mne
    from mne_icalabel.iclabel import iclabel_label_components

    with mne.use_log_level("error"):  # what it warns of is said by `_notes`
        scores = iclabel_label_components(raw, ica, inplace=True, backend=backend)
    return np.asarray(scores, np.float64)


def _variances(ica: Any, raw: mne.io.BaseRaw) -> Floats:
    """Return the share of the variance of the EEG that each component accounts for."""
    sources = ica.get_sources(raw).get_data().var(axis=1)
    maps = ica.get_components() * ica.pre_whitener_  # volts per unit of each component
    total = raw.get_data(picks=_picked(raw).picks).var(axis=1).sum()
    return np.asarray(sources * np.square(maps).sum(axis=0) / total, np.float64)


def _eog(raw: mne.io.BaseRaw, ica: Any) -> dict[str, Floats]:
    """Return how far each component follows each EOG channel."""
    names = [
        name
        for name, kind in zip(raw.ch_names, raw.get_channel_types(), strict=True)
        if kind == "eog"
    ]
    sources = ica.get_sources(raw).get_data() if names else np.empty((0, 0))
    found = {}
    for name in names:
        eog = raw.get_data(picks=[name])[0]
        if eog.std() > 0:
            found[name] = np.abs([np.corrcoef(source, eog)[0, 1] for source in sources])
    return found


def _decide(
    scores: Floats,
    variances: Floats,
    eog: dict[str, Floats],
    artefacts: Sequence[str],
    min_probability: float,
) -> tuple[Component, ...]:
    components = []
    for index, row in enumerate(scores):
        label, probability = LABELS[int(row.argmax())], float(row.max())
        why = ""
        if label in artefacts and probability >= min_probability:
            why = f"{label} ({probability:.2f} by ICLabel)"
        for name, match in eog.items():
            if not why and match[index] >= _EOG_MATCH:
                why = f"follows {name} (correlation {match[index]:.2f})"
        components.append(Component(index, label, probability, float(variances[index]), why))
    return tuple(components)


def _notes(raw: mne.io.BaseRaw) -> tuple[str, ...]:
    low = max(BAND_HZ[0], raw.info["highpass"])
    high = min(BAND_HZ[1], raw.info["lowpass"], raw.info["sfreq"] / 2)
    if (low, high) == BAND_HZ:
        return ()
    return (
        f"the EEG reaches from {low:g} to {high:g} Hz; ICLabel was made for 1 to 100 Hz, so that "
        "muscle and line noise are told less well",
    )

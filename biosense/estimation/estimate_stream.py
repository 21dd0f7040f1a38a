"""The stream of estimates: its channels, and the header that lets `estimate` reproduce it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree

import numpy as np

from biosense.core.affect import ESTIMATE_VALUES, WEIGHT_PREFIX, Estimate
from biosense.core.errors import BadInput
from biosense.core.grid import HOP
from biosense.core.own_streams import AFFECT
from biosense.core.types import Chunk, Modality, StreamInfo
from biosense.estimation.processor import ProcessorSettings
from biosense.processing.registry import ExtraStage

_HEADER = "estimator"  # below <desc>; not in <biosense>, which every writer of headers makes anew


@dataclass(frozen=True)
class EstimateHeader:
    """Hold what an estimate depends on beside the samples.

    Parameters
    ----------
    settings
        The processor's settings.
    model
        Name or path of the checkpoint, as given on the command line.
    model_digest
        SHA-256 of the weights: another model under the same name is noticed.
    first_samples
        Session time of the first sample used of each stream known when estimates began.
    """

    settings: ProcessorSettings
    model: str
    model_digest: str
    first_samples: dict[str, float]


def estimate_info(
    modalities: Sequence[Modality], header: EstimateHeader | None = None
) -> StreamInfo:
    """Describe the stream of estimates of a model with these modalities.

    Parameters
    ----------
    modalities
        Of the model, in the order of their weights.
    header
        What the estimates depend on; None to say nothing.

    Returns
    -------
    StreamInfo
    """
    channels = (*ESTIMATE_VALUES, *(f"{WEIGHT_PREFIX}{modality}" for modality in modalities))
    return StreamInfo(
        AFFECT,
        None,
        channels,
        1 / HOP,
        source_id=AFFECT,
        content_type="Affect",
        description="" if header is None else _to_xml(header),
    )


def estimate_chunk(info: StreamInfo, estimate: Estimate) -> Chunk:
    """Make the sample of one estimate; a modality that was absent has weight 0.

    Parameters
    ----------
    info
        As `estimate_info` returns it.
    estimate
        One.

    Returns
    -------
    Chunk
        One sample, shape (1, channels).
    """
    weights = {f"{WEIGHT_PREFIX}{modality}": value for modality, value in estimate.weight.items()}
    row = [getattr(estimate, name) for name in ESTIMATE_VALUES]
    row += [weights.get(channel, 0.0) for channel in info.channels[len(ESTIMATE_VALUES) :]]
    return Chunk(info, np.array([estimate.time]), np.array([row]), np.ones(1, bool))


def estimate_header(info: StreamInfo) -> EstimateHeader | None:
    """Read the header back from a recorded stream of estimates; None where it has none.

    Parameters
    ----------
    info
        Of the recorded stream.

    Returns
    -------
    EstimateHeader or None

    Raises
    ------
    BadInput
        This version did not write the header.
    """
    if not info.description:
        return None
    element = ElementTree.fromstring(info.description).find(_HEADER)
    if element is None or not element.text:
        return None
    try:
        values = json.loads(element.text)
        return EstimateHeader(**{**values, "settings": _settings(values["settings"])})
    except (ValueError, TypeError, KeyError) as error:
        raise BadInput(
            f"the header of {info.name!r} is not one that this version of biosense wrote "
            f"({error}); pass --model and the settings by hand"
        ) from error


def _settings(values: Mapping[str, Any]) -> ProcessorSettings:
    stages = tuple(ExtraStage(**each) for each in values.get("stages", ()))
    return ProcessorSettings(**{**values, "stages": stages})


def _to_xml(header: EstimateHeader) -> str:
    desc = ElementTree.Element("desc")
    ElementTree.SubElement(desc, _HEADER).text = json.dumps(asdict(header))
    return ElementTree.tostring(desc, encoding="unicode")

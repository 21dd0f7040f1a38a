"""The table of fusion models: a new family is registered here and the contract tests pick it up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from biosense.core.registry import Registry
from biosense.models.base import FusionModel
from biosense.models.families.boosting import Boosting, BoostingConfig
from biosense.models.families.closed_form import ClosedFormConfig
from biosense.models.families.committee import Committee, CommitteeConfig
from biosense.models.families.cross_attention import CrossAttention, CrossAttentionConfig
from biosense.models.families.deep_cca import DeepCca, DeepCcaConfig
from biosense.models.families.early import Early
from biosense.models.families.gated import Gated
from biosense.models.families.graph import Graph, GraphConfig
from biosense.models.families.late import Late
from biosense.models.families.low_rank_tensor import LowRankTensor, LowRankTensorConfig
from biosense.models.families.mixture_of_experts import MixtureOfExperts, MixtureOfExpertsConfig
from biosense.models.families.product_of_experts import ProductOfExperts
from biosense.models.families.recursive_joint_attention import (
    RecursiveJointAttention,
    RecursiveJointAttentionConfig,
)
from biosense.models.families.ridge import Ridge
from biosense.models.families.stepwise import StepwiseConfig
from biosense.models.families.table import Family, as_family, build

MODELS: Registry[Family] = Registry(
    "model",
    {
        "boosting": Family(Boosting, BoostingConfig),
        "committee": Family(Committee, CommitteeConfig),
        "cross_attention": Family(CrossAttention, CrossAttentionConfig),
        "deep_cca": Family(DeepCca, DeepCcaConfig),
        "early": Family(Early, StepwiseConfig),
        "gated": Family(Gated, StepwiseConfig),
        "graph": Family(Graph, GraphConfig),
        "late": Family(Late, StepwiseConfig),
        "low_rank_tensor": Family(LowRankTensor, LowRankTensorConfig),
        "mixture_of_experts": Family(MixtureOfExperts, MixtureOfExpertsConfig),
        "product_of_experts": Family(ProductOfExperts, StepwiseConfig),
        "recursive_joint_attention": Family(RecursiveJointAttention, RecursiveJointAttentionConfig),
        "ridge": Family(Ridge, ClosedFormConfig),
    },
    group="biosense.models",
    adapt=as_family,
)
"""By the name that checkpoints hold and commands take."""

Model = TypeVar("Model", bound=type[FusionModel])


def register_model(name: str) -> Callable[[Model], Model]:
    """Register a fusion family, so that training, studies, checkpoints and live runs know it.

    It is known to the process that runs the decorator. For the command line, for checkpoints that
    others load, and for studies of several processes, name the class in an entry point of the group
    "biosense.models" of your package instead.

    Parameters
    ----------
    name
        What it is called by: `--model NAME`, `bs.Fusion("NAME")`; a checkpoint holds it.

    Returns
    -------
    callable
        Decorates a class derived from `FusionModel`, or from `Stepwise` of the same package, whose
        `__init__(self, config)` names a frozen dataclass. Gives the class back.

    Raises
    ------
    BadInput
        The name is one of biosense's own, or the class is no such class.

    See Also
    --------
    biosense.testing.check_model : Try whether a family does what every family promises.

    Notes
    -----
    `examples/plugins/own_model.py` in biosense's repository is a template.
    """
    return lambda model: MODELS.register(name, model)


def build_model(name: str, settings: Mapping[str, Any]) -> FusionModel:
    """Make an untrained model from the settings of its config, as read from JSON.

    Parameters
    ----------
    name
        A key of `MODELS`.
    settings
        Fields of the family's config; `modalities` is needed, as (name, number of features) pairs.

    Returns
    -------
    FusionModel
        With random weights, drawn from torch's global generator.

    Raises
    ------
    BadInput
        The name is unknown, or a setting is missing, unknown or out of range.

    Examples
    --------
    >>> build_model("early", {"modalities": [["eda", 2]], "width": 8}).modalities
    (<Modality.EDA: 'eda'>,)
    """
    return build(MODELS, name, settings)


def names() -> dict[str, str]:
    """Return the fusion families by name, with a line about each.

    Returns
    -------
    dict
        First sentence of each family's docstring, by its name.

    Examples
    --------
    >>> import biosense as bs
    >>> sorted(bs.models.names())[:3]
    ['boosting', 'committee', 'cross_attention']
    """
    said = {name: (MODELS[name].model.__doc__ or "").strip() for name in MODELS}
    return {name: " ".join(text.split("\n\n")[0].split()) for name, text in said.items()}

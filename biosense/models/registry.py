"""The table of fusion models: a new family is registered here and the contract tests pick it up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from biosense.core.errors import BadInput
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


@dataclass(frozen=True)
class Family:
    """Name the class and the frozen config of one fusion family.

    `trainable` is False for families that gradient descent does not fit as a whole: `ClosedForm`,
    and `Committee`, whose members are fitted apart.
    """

    model: Callable[[Any], FusionModel]
    config: type[Any]
    trainable: bool = True

    def settings(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of the wanted settings that the config of this family has."""
        known = {field.name for field in fields(self.config)}
        return {name: value for name, value in wanted.items() if name in known}


MODELS: Registry[Family] = Registry(
    "model",
    {
        "boosting": Family(Boosting, BoostingConfig, trainable=False),
        "committee": Family(Committee, CommitteeConfig, trainable=False),
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
        "ridge": Family(Ridge, ClosedFormConfig, trainable=False),
    },
)


def build_model(name: str, settings: Mapping[str, Any]) -> FusionModel:
    """Make an untrained model from the settings of its config, as read from JSON.

    Parameters
    ----------
    name
        A key of `MODELS`.
    settings
        Fields of the family's config; `modalities` is needed, as (name, number of features) pairs.

    Raises
    ------
    BadInput
        The name is unknown, or a setting is missing, unknown or out of range.

    Examples
    --------
    >>> build_model("early", {"modalities": [["eda", 2]], "width": 8}).modalities
    (<Modality.EDA: 'eda'>,)
    """
    family = MODELS[name]
    known = [field.name for field in fields(family.config)]
    unknown = sorted(set(settings) - set(known))
    if unknown or "modalities" not in settings:
        raise BadInput(
            f"settings of {name!r} must hold 'modalities' and may hold {known[1:]}; "
            f"got {sorted(settings)}"
        )
    pairs = tuple((str(modality), int(count)) for modality, count in settings["modalities"])
    return family.model(family.config(**{**settings, "modalities": pairs}))

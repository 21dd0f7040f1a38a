"""What a table of fusion families holds of each, and how a model is built by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_type_hints

from biosense.core.errors import BadInput
from biosense.models.base import FusionModel


@dataclass(frozen=True)
class Family:
    """Name the class and the frozen config of one fusion family.

    Parameters
    ----------
    model
        Made from its config alone, or as its own `FusionModel.assemble` says.
    config
        A frozen dataclass that JSON can hold, with `modalities` and `hop` among its fields.
    """

    model: type[FusionModel]
    config: type[Any]

    @property
    def by_descent(self) -> bool:
        """Whether gradient descent fits the model as a whole: it has no `fit` of its own."""
        return self.model.fit is FusionModel.fit

    def settings(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        """Return those of the wanted settings that the config of this family has.

        Parameters
        ----------
        wanted
            Settings by name, of any families.

        Returns
        -------
        dict
            What `build` takes.
        """
        known = {field.name for field in fields(self.config)}
        return {name: value for name, value in wanted.items() if name in known}


def as_family(part: Any) -> Family:
    """Return the `Family` of what a plug-in or a user hands in.

    Parameters
    ----------
    part
        A `Family`, or a class derived from `FusionModel` whose `__init__(self, config)` says by its
        annotation which config it takes.

    Returns
    -------
    Family
        What a table holds.

    Raises
    ------
    BadInput
        It is neither, or the config is no frozen dataclass with `modalities` and `hop`.
    """
    if isinstance(part, Family):
        return part
    if not (isinstance(part, type) and issubclass(part, FusionModel)):
        raise BadInput(f"got {part!r} as a model, wanted a class derived from FusionModel")
    try:
        config = get_type_hints(part.__init__).get("config")
    except NameError as error:
        raise BadInput(
            f"the annotations of {part.__name__}.__init__ mean nothing: {error}"
        ) from error
    known = {each.name for each in fields(config)} if is_dataclass(config) else set()
    if not known >= {"modalities", "hop"} or not isinstance(config, type):
        raise BadInput(
            f"{part.__name__}.__init__(self, config) takes a {config}, wanted a frozen dataclass "
            "with fields `modalities` and `hop`, named by the annotation of `config`"
        )
    return Family(part, config)


def build(families: Mapping[str, Family], name: str, settings: Mapping[str, Any]) -> FusionModel:
    """Make an untrained model of one of the families in a table.

    Parameters
    ----------
    families
        The table; a family that is made of members finds them in it, too.
    name
        A key of it.
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
    """
    family = families[name]
    known = [field.name for field in fields(family.config)]
    unknown = sorted(set(settings) - set(known))
    if unknown or "modalities" not in settings:
        raise BadInput(
            f"settings of {name!r} must hold 'modalities' and may hold {known[1:]}; "
            f"got {sorted(settings)}"
        )
    pairs = tuple((str(modality), int(count)) for modality, count in settings["modalities"])
    config = family.config(**{**settings, "modalities": pairs})
    return family.model.assemble(
        config, lambda member, wanted: build(families, member, families[member].settings(wanted))
    )

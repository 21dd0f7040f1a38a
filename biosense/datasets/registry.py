"""The data sets that can be read, by name: the command line and the contract tests use this table.

To add a data set: a class that fits `Dataset`, a function that fabricates a miniature of it, and
one line here; from outside, `register_dataset` or an entry point of the group "biosense.datasets".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from biosense.core.registry import Registry
from biosense.datasets.amigos import fabricate as amigos_miniature
from biosense.datasets.amigos import files as amigos_files
from biosense.datasets.amigos import reader as amigos
from biosense.datasets.base import DatasetKind, as_kind
from biosense.datasets.case import derived as case_derived
from biosense.datasets.case import fabricate as case_miniature
from biosense.datasets.case import fabricate_derived as case_derived_miniature
from biosense.datasets.case import official as case
from biosense.datasets.deap import fabricate as deap_miniature
from biosense.datasets.deap import fabricate_original as deap_bdf_miniature
from biosense.datasets.deap import original as deap_original
from biosense.datasets.deap import preprocessed as deap
from biosense.datasets.dreamer import fabricate as dreamer_miniature
from biosense.datasets.dreamer import reader as dreamer
from biosense.datasets.mahnob import fabricate as mahnob_miniature
from biosense.datasets.mahnob import files as mahnob_files
from biosense.datasets.mahnob import reader as mahnob

DATASETS: Registry[DatasetKind] = Registry(
    "data set",
    {
        "amigos": DatasetKind(amigos_files.ABOUT, amigos.Amigos, amigos_miniature.fabricate),
        "case": DatasetKind(case.ABOUT, case.Case, case_miniature.fabricate),
        "case_derived": DatasetKind(
            case_derived.ABOUT,
            case_derived.CaseDerived.open,
            case_derived_miniature.fabricate,
        ),
        "deap": DatasetKind(deap.ABOUT, deap.Deap, deap_miniature.fabricate),
        "deap_original": DatasetKind(
            deap_original.ABOUT, deap_original.DeapOriginal, deap_bdf_miniature.fabricate
        ),
        "dreamer": DatasetKind(dreamer.ABOUT, dreamer.Dreamer, dreamer_miniature.fabricate),
        "mahnob": DatasetKind(mahnob_files.ABOUT, mahnob.Mahnob, mahnob_miniature.fabricate),
    },
    group="biosense.datasets",
    adapt=as_kind,
)
"""By the name that the command line takes."""

Reader = TypeVar("Reader")


def register_dataset(name: str) -> Callable[[Reader], Reader]:
    """Register the class of a data set, so that studies and commands find it by name.

    It is known to the process that runs the decorator. For the command line and for studies of
    several processes, name the class in an entry point of the group "biosense.datasets" of your
    package instead.

    Parameters
    ----------
    name
        What it is called by; also its `about.name`.

    Returns
    -------
    callable
        Decorates a class that fits `Dataset` and takes its folder: `about` is a class attribute,
        and a static method `fabricate(folder, people, seed)` may make a miniature. Gives the class
        back.

    Raises
    ------
    BadInput
        The name is one of biosense's own, or the class has no `about`.

    See Also
    --------
    biosense.testing.check_dataset : Try whether a data set does what every data set promises.

    Notes
    -----
    `examples/plugins/own_dataset.py` in biosense's repository is a template.
    """
    return lambda reader: DATASETS.register(name, reader)

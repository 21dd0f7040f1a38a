"""The data sets that can be read, by name: the command line and the contract tests use this table.

To add a data set: a class that fits `Dataset`, a function that fabricates a miniature of it, and
one line here.
"""

from __future__ import annotations

from biosense.core.registry import Registry
from biosense.datasets import (
    amigos,
    amigos_files,
    amigos_miniature,
    case,
    case_derived,
    case_derived_miniature,
    case_miniature,
    deap,
    deap_bdf_miniature,
    deap_miniature,
    deap_original,
    dreamer,
    dreamer_miniature,
    mahnob,
    mahnob_files,
    mahnob_miniature,
)
from biosense.datasets.base import DatasetKind

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
)
"""By the name that the command line takes."""

"""Estimates as a table, with the columns of the stream `biosense-affect`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from biosense.core.affect import TARGETS, Estimate
from biosense.core.types import Modality
from biosense.estimation.estimate_stream import estimate_chunk, estimate_info
from biosense.models.evaluation.contributions import Contributions

if TYPE_CHECKING:
    import pandas as pd


def estimates_table(
    estimates: Sequence[Estimate],
    modalities: Sequence[Modality],
    added: Sequence[Contributions] = (),
) -> pd.DataFrame:
    """Return estimates as a table: time, then the channels of `biosense-affect`.

    Parameters
    ----------
    estimates
        In their order.
    modalities
        Those that the model knows: each has a column of weights.
    added
        What each modality adds to each estimate: columns `contribution_<target>_<modality>`, which
        sum to the estimate minus the prior.

    Returns
    -------
    pandas.DataFrame
        A row for each estimate; `time` in session seconds.
    """
    import pandas as pd

    info = estimate_info(modalities)
    rows = [estimate_chunk(info, item).data[0] for item in estimates]
    table = pd.DataFrame(
        np.reshape(rows, (len(rows), info.n_channels)), columns=list(info.channels)
    )
    table.insert(0, "time", [item.time for item in estimates])
    for target in TARGETS if added else ():
        for modality in modalities:
            column = [getattr(each, target)[modality] for each in added]
            table[f"contribution_{target}_{modality}"] = column
    return table

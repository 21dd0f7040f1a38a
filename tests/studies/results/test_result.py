"""The result of a study as a table."""

from __future__ import annotations

from biosense.studies.run import run_study
from tests.support.study_toys import QUICK, small_plan, toy_study


def test_scores_come_as_a_table():
    result = run_study(toy_study(6, 4, noise=1.0), small_plan(), assessment=QUICK)
    frame = result.to_pandas()
    assert len(frame) == 2 * len(result.results)
    judged = frame[frame.judged].set_index("target")
    row = result.row(result.chosen)
    assert judged.loc["valence", "ccc"] == row.metrics["valence"]["ccc"]
    assert judged.loc["arousal", "rmse_high"] == row.intervals["arousal"]["rmse"].high
    assert judged.loc["arousal", "modalities"] == " + ".join(row.modalities)
    assert frame.ccc_seed_sd.isna().all(), "one seed has no spread"
    assert {frame[name].dtype.kind for name in ("ccc_low", "ccc_seed_sd")} == {"f"}

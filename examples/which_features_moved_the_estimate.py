"""Ask a model why: what each sensor, and each feature, added to an estimate of arousal."""

import numpy as np

from biosense.acquisition.simulated import simulate
from biosense.core.affect import FusionInput
from biosense.core.types import Modality
from biosense.estimation.processor import ProcessorSettings
from biosense.estimation.run_processor import extract
from biosense.models.deployment.checkpoint import load
from biosense.models.deployment.streaming import StreamingEstimator
from biosense.models.evaluation.feature_contributions import feature_contributions

SENSORS = (Modality.EDA, Modality.PPG, Modality.FACE)
loaded = load("demo")
sequence = extract(simulate(seed=4, seconds=90.0, modalities=SENSORS), ProcessorSettings())

estimator = StreamingEstimator(loaded, contributions=True)
for step, time in enumerate(sequence.time):
    data = {modality: values[step] for modality, values in sequence.data.items()}
    quality = {modality: float(values[step]) for modality, values in sequence.quality.items()}
    estimate = estimator.push(FusionInput(step, float(time), data, quality))
said = estimator.contributions
assert said is not None
print(f"arousal at {estimate.time:.0f} s: {estimate.arousal:+.2f}, without any signal it would be")
print(f"{said.prior[1]:+.2f}; " + ", ".join(f"{m} {said.arousal[m]:+.2f}" for m in SENSORS))

found = feature_contributions(loaded.model, sequence, points=8)
rows = [
    (values[k, 1], f"{modality} {name}")
    for modality, values in found.by_feature.items()
    for k, name in enumerate(loaded.info.features[modality])
]
change = found.output[1] - found.baseline[1]
print(f"\nmean arousal of the recording: {change:+.3f} against a person at their usual; most by")
for value, name in sorted(rows, key=lambda row: -abs(row[0]))[:6]:
    print(f"{value:+.3f}  {name}")
rest = change - np.sum(sorted((value for value, _ in rows), key=abs)[-6:])
print(f"{rest:+.3f}  all others")

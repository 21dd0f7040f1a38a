"""The graph of electrodes: order does not matter, missing electrodes leave, names give places."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import pytest
import torch

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.families.graph import ElectrodeGraph, Graph, GraphConfig
from biosense.models.layers.electrode_positions import scalp_closeness, scalp_position
from biosense.models.registry import build_model
from biosense.processing.eeg.layouts import LAYOUTS
from biosense.processing.offline.eeg_positions import channel_positions

NAMES = ("Fp1", "Fp2", "C3", "C4", "Pz", "O1")


@pytest.fixture
def graph() -> ElectrodeGraph:
    torch.manual_seed(2)
    layer = ElectrodeGraph(scalp_closeness(NAMES), 5, 8, 3)
    with torch.no_grad():
        layer.logits += 0.3 * torch.randn_like(layer.logits)
    return layer


def rearranged(layer: ElectrodeGraph, nodes: torch.Tensor) -> ElectrodeGraph:
    """Return the same graph with some of its nodes, in another order."""
    other = ElectrodeGraph(torch.ones(len(nodes), len(nodes)), 5, 8, 3)
    other.weight, other.out = layer.weight, layer.out
    other.logits = torch.nn.Parameter(layer.logits[nodes][:, nodes].detach())
    other.embedding = torch.nn.Parameter(layer.embedding[nodes].detach())
    return other


def test_the_order_of_electrodes_is_irrelevant(graph: ElectrodeGraph) -> None:
    x, there = torch.randn(4, 6, 5), torch.rand(4, 6) > 0.3
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    torch.testing.assert_close(
        rearranged(graph, order)(x[:, order], there[:, order]), graph(x, there)
    )


def test_a_missing_electrode_is_a_removed_node(graph: ElectrodeGraph) -> None:
    x, there = torch.randn(4, 6, 5), torch.ones(4, 6, dtype=torch.bool)
    there[:, 2] = False
    kept = torch.tensor([0, 1, 3, 4, 5])
    smaller = rearranged(graph, kept)(x[:, kept], there[:, kept])
    torch.testing.assert_close(graph(x, there), smaller)
    assert not torch.allclose(graph(x, torch.ones_like(there)), smaller, atol=1e-3)


def test_adjacency_starts_from_distance_and_stays_symmetric(graph: ElectrodeGraph) -> None:
    fresh = ElectrodeGraph(scalp_closeness(NAMES), 5, 8, 3).adjacency
    torch.testing.assert_close(fresh, scalp_closeness(NAMES).clamp(min=1e-3), rtol=1e-4, atol=1e-5)
    changed = graph.adjacency.detach()
    torch.testing.assert_close(changed, changed.T)
    assert changed.min() > 0
    degree = changed.sum(1).rsqrt()
    size = torch.linalg.eigvalsh(degree[:, None] * changed * degree).abs().max()
    assert float(size) == pytest.approx(1.0, abs=1e-5)  # the range of Chebyshev polynomials


def test_a_polynomial_of_order_k_looks_k_minus_one_edges_far() -> None:
    chain = torch.eye(5) + torch.diag(torch.ones(4), 1) + torch.diag(torch.ones(4), -1)
    layer = ElectrodeGraph(chain, 1, 4, 3)
    with torch.no_grad():
        layer.logits[chain == 0] = -1e3  # an edge of weight 0
    x, there = torch.randn(1, 5, 1), torch.ones(1, 5, dtype=torch.bool)
    moved = x.clone()
    moved[0, 0] += 1
    mask = torch.ones(1, 5, 1)
    changed = (layer._spread(moved * mask, mask) != layer._spread(x * mask, mask)).any(-1)[0]
    assert changed.tolist() == [True, True, True, False, False]
    assert torch.isfinite(layer(x, there)).all()


def test_a_model_leaves_out_an_electrode_without_values_only() -> None:
    config = GraphConfig((("eeg", 10), ("eda", 2)), width=8, electrodes=("Fp1", "Oz"))
    torch.manual_seed(0)
    model = Graph(config).eval()
    x = {Modality.EEG: torch.randn(1, 3, 10), Modality.EDA: torch.randn(1, 3, 2)}
    present = torch.ones(1, 3, 2)

    def mean(*missing: int, fill: float = torch.nan) -> torch.Tensor:
        eeg = x[Modality.EEG].clone()
        eeg[..., list(missing)] = fill
        output: torch.Tensor = model({**x, Modality.EEG: eeg}, present).mean
        return output.detach()

    assert torch.equal(mean(7), mean(7, fill=0.0))
    gone, average = mean(5, 6, 7, 8, 9), mean(5, 6, 7, 8, 9, fill=0.0)
    assert torch.isfinite(gone).all()
    assert not torch.allclose(gone, average, atol=1e-5)


@pytest.mark.parametrize("modalities", [(("eeg", 10),), (("eda", 3),), (("ecg", 1), ("eeg", 2))])
def test_any_choice_of_modalities_can_be_built(modalities: tuple[tuple[str, int], ...]) -> None:
    model = build_model("graph", {"modalities": modalities, "width": 8})
    x = {Modality(name): torch.randn(2, 6, n) for name, n in modalities}
    output = model(x, torch.ones(2, 6, len(modalities)))
    output.mean.sum().backward()
    assert all(p.grad is not None for key, p in model.named_parameters() if "spread" not in key)


def test_settings_that_fit_no_features_are_refused() -> None:
    with pytest.raises(BadInput, match="27 EEG features cannot be shared evenly by 4 electrodes"):
        GraphConfig((("eeg", 27),), electrodes=("TP9", "AF7", "AF8", "TP10"))
    with pytest.raises(BadInput, match="'A1' is no electrode of the 10-10 system"):
        Graph(GraphConfig((("eeg", 5),), electrodes=("A1",)))
    with pytest.raises(BadInput, match="order=0"):
        GraphConfig((("eeg", 5),), order=0)
    config = GraphConfig((("eeg", 10),), electrodes=("Fp1", "Oz"))
    assert build_model("graph", json.loads(json.dumps(asdict(config)))).config == config


def test_ideal_places_agree_with_measured_heads() -> None:
    names = [name for name in LAYOUTS["seed"] if not name.startswith("CB")]
    measured = channel_positions(names)
    ours = np.array([scalp_position(name) for name in names])

    def distances(places: np.ndarray) -> np.ndarray:
        return np.linalg.norm(places[:, None] - places, axis=2).ravel()

    assert np.corrcoef(distances(measured), distances(ours))[0, 1] > 0.97
    assert all(scalp_position(name) for layout in LAYOUTS.values() for name in layout)

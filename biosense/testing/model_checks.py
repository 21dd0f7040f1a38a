"""What every fusion model promises: causal, step equals forward, any modality may be missing."""

from __future__ import annotations

import itertools
from typing import Any

import torch

from biosense.core.errors import BadInput
from biosense.core.types import Modality
from biosense.models.base import FusionOutput
from biosense.models.families.table import Family
from biosense.models.registry import MODELS
from biosense.testing.contract import Check, promise, require
from biosense.testing.model_example import ModelExample
from biosense.testing.model_fit_checks import FIT_CHECKS
from biosense.testing.model_inputs import (
    COUNTS,
    FIELDS,
    NAMES,
    TIME,
    X,
    assert_equal,
    at,
    draw,
    run,
    stream,
)

_TOLERANCE = 1e-5


def check_model(family: str | Family | type[Any], **options: Any) -> None:
    """Try whether a fusion family does what every family promises; the first broken is raised.

    These are the checks that biosense's own families pass: training, studies, checkpoints and live
    estimates rest on them.

    Parameters
    ----------
    family
        A registered name, or the class of a model as `register_model` takes it.
    **options
        Fields of its config beside modalities and width.

    Raises
    ------
    ContractBroken
        With the promise, what was got and wanted, and what to do.

    Examples
    --------
    >>> check_model("ridge")
    """
    if isinstance(family, str):
        _try_all(ModelExample(family, options))
        return
    with MODELS.temporarily("checked", family):
        _try_all(ModelExample("checked", options))


def _try_all(example: ModelExample) -> None:
    with torch.random.fork_rng(devices=[]):  # checks seed it
        for check in MODEL_CHECKS:
            check(example)


@promise("let the head squash the mean and bound the variance, and masked_softmax the weights")
def _shapes_and_ranges_hold(example: ModelExample) -> None:
    """Means lie in [-1, 1], weights are shares, for any inputs."""
    x, present = draw()
    output = run(example.model(), {m: 1e3 * v for m, v in x.items()}, present)
    shapes = {name: tuple(getattr(output, name).shape) for name in FIELDS}
    pair, shares = (3, TIME, 2), (3, TIME, len(COUNTS))
    wanted = {"mean": pair, "log_variance": pair, "weight": shares}
    require(shapes == wanted, shapes, f"{wanted}")
    largest = float(output.mean.abs().max())
    require(largest <= 1, f"a mean of size {largest}", "at most 1")
    least, most = float(output.weight.min()), float(output.weight.sum(-1).max())
    require(least >= 0 and most <= 1 + 1e-6, f"weights from {least}, sums to {most}", "shares")
    low, high = float(output.log_variance.min()), float(output.log_variance.max())
    require(-8 < low <= high < 1, f"log variances from {low} to {high}", "within -8 and 1")


@promise("divide by sums of weights that cannot be 0, and mask absent modalities, not multiply")
def _any_subset_of_modalities_gives_finite_output(example: ModelExample) -> None:
    """Any subset of the modalities gives finite output, with weight where one is present."""
    x, _ = draw()
    model = example.model()
    for number in range(len(COUNTS) + 1):
        for subset in itertools.combinations(range(len(COUNTS)), number):
            present = torch.zeros(3, TIME, len(COUNTS))
            present[:, :, list(subset)] = 0.8
            present[:, 40:60] = present[:, 40:60].roll(1, -1)
            output = run(model, x, present)
            _require_finite(output, f"with {[NAMES[k] for k in subset]}")
            weighed = int((output.weight[:, 39] > 0).sum())
            require(weighed == 3 * number, f"{weighed} weights above 0", f"{3 * number}: {subset}")


@promise("keep no state that depends on which modalities came before, beyond `window` steps")
def _any_subset_may_follow_any_other(example: ModelExample) -> None:
    """Any subset of the modalities may follow any other in mid sequence."""
    model = example.model()
    subsets = torch.tensor(list(itertools.product((0.0, 0.8), repeat=len(COUNTS))))
    order = torch.randperm(len(subsets), generator=torch.Generator().manual_seed(4))
    present = subsets[order].repeat_interleave(3, 0).unsqueeze(0)
    x, _ = draw(batch=1, time=present.shape[1])
    whole = run(model, x, present)
    _require_finite(whole, "with changing modalities")
    weighed = whole.weight > 0
    never = present[:, : model.window].cummax(1)[0] == 0
    early = bool(weighed[:, : model.window][never].any())
    require(not early, "weight of a modality that was never there", "none")
    require(bool(weighed[present > 0].all()), "no weight of one that is there", "some")
    assert_equal(stream(model, x, present), whole, _TOLERANCE)


@promise("carry in the state what forward looks back at; compute both from one function")
def _step_equals_forward(example: ModelExample) -> None:
    """`step` over a sequence equals `forward` of it, to 1e-5."""
    x, present = draw()
    model = example.model()
    assert_equal(stream(model, x, present), run(model, x, present), _TOLERANCE)


@promise("use causal layers only: no bidirectional memory, no norm over time, masked attention")
def _output_ignores_the_future(example: ModelExample) -> None:
    """The output at a step never sees inputs behind it."""
    x, present = draw()
    model = example.model()
    before = run(model, x, present)
    for cut in (0, 31, 32, 55):
        edited = {m: v.clone() for m, v in x.items()}
        for values in edited.values():
            values[:, cut + 1 :] = 1e9
            values[:, cut + 2 :: 3] = torch.nan
        quality = present.clone()
        quality[:, cut + 1 :] = 1 - quality[:, cut + 1 :]
        after = run(model, edited, quality)
        for name in FIELDS:
            got, wanted = (getattr(each, name)[:, : cut + 1] for each in (after, before))
            same = torch.equal(got, wanted)
            require(same, f"another {name} up to step {cut}", "the same with another future")
        moved = not torch.equal(after.mean[:, cut + 1 :], before.mean[:, cut + 1 :])
        require(moved, f"the same mean behind step {cut}", "another one with other inputs")


@promise("take features through FeatureInputs, which puts the average where nothing is present")
def _values_of_absent_modalities_never_matter(example: ModelExample) -> None:
    """What an absent modality holds (NaN, 1e9) never matters."""
    x, present = draw()
    model = example.model()
    for poison in (torch.nan, 1e9, -torch.inf):
        poisoned = {
            modality: torch.where(present[..., k : k + 1] > 0, x[modality], poison)
            for k, modality in enumerate(NAMES)
        }
        assert_equal(run(model, poisoned, present), run(model, x, present))


@promise("take features through FeatureInputs")
def _a_missing_feature_counts_as_its_average(example: ModelExample) -> None:
    """A feature that is NaN counts as its average; a modality of NaN only is absent."""
    x, present = draw()
    model = example.model()
    model.inputs.set_scale({Modality(m): (torch.full((n,), 2.0), torch.ones(n)) for m, n in COUNTS})
    missing = {m: v.clone() for m, v in x.items()}
    average = {m: v.clone() for m, v in x.items()}
    missing[Modality.EEG][..., 1], average[Modality.EEG][..., 1] = torch.nan, 2.0
    assert_equal(run(model, missing, present), run(model, average, present))
    empty = {**x, Modality.EDA: torch.full_like(x[Modality.EDA], torch.nan)}
    absent = present.clone()
    absent[..., 2] = 0
    assert_equal(run(model, empty, present), run(model, x, absent))


@promise("take features through FeatureInputs, which looks modalities up by name")
def _leaving_a_modality_out_equals_masking_it(example: ModelExample) -> None:
    """Leaving a modality out equals masking it; the order of the mapping is irrelevant."""
    x, present = draw()
    model = example.model()
    masked = present.clone()
    masked[..., 1] = 0
    left_out: X = {m: v for m, v in x.items() if m != Modality.ECG}
    wanted = run(model, x, masked)
    assert_equal(run(model, left_out, present), wanted)
    with torch.inference_mode():
        output, _ = model.step(at(left_out, 0), present[:, 0], model.begin(3))
    torch.testing.assert_close(output.mean, wanted.mean[:, 0])
    assert_equal(run(model, dict(reversed(x.items())), present), run(model, x, present))


@promise("use no layer that looks across the batch in evaluation")
def _a_batch_of_one_equals_the_row_of_a_batch(example: ModelExample) -> None:
    """A sequence alone gives what it gives among others, to 1e-6."""
    x, present = draw()
    model = example.model()
    alone = run(model, {m: v[1:2] for m, v in x.items()}, present[1:2])
    whole = run(model, x, present)
    row = FusionOutput(*[getattr(whole, field)[1:2] for field in FIELDS])
    assert_equal(alone, row, 1e-6)


@promise("blend by self.head with evidence(quality, window), in step with fade(age, window)")
def _silence_gives_the_prior(example: ModelExample) -> None:
    """Without any modality for `window` steps the output is the prior, and it comes back."""
    x, present = draw()
    model = example.model()
    silent = run(model, x, torch.zeros_like(present))
    mean, variance = model.head.prior_mean, model.head.prior_variance
    torch.testing.assert_close(silent.mean, mean.expand_as(silent.mean))
    wanted = variance.expand_as(silent.mean)
    torch.testing.assert_close(silent.log_variance.exp(), wanted, rtol=1e-5, atol=0)
    most = float(silent.weight.max())
    require(most == 0, f"a weight of {most} in silence", "0")
    gap = run(model, x, present)  # sequence 0 is silent in 30..74, longer than a window of 32
    torch.testing.assert_close(gap.mean[0, 29 + model.window], mean)
    moved = not torch.allclose(gap.mean[0, 29], mean, atol=1e-3)
    require(moved, f"the prior {mean} before the gap", "an estimate from inputs")
    back = float(gap.weight[0, 29 + model.window :].max())
    require(back > 0, "no weight behind the gap", "some: it came back")


@promise("never write into x or present: use clone(), where(), masked_fill()")
def _inputs_are_never_written_to(example: ModelExample) -> None:
    """Inputs are never written to."""
    x, present = draw()
    model = example.model()
    kept, quality = {m: v.clone() for m, v in x.items()}, present.clone()
    stream(model, x, present)
    run(model, x, present)
    changed = [m.value for m in x if not torch.equal(kept[m], x[m])]
    changed += [] if torch.equal(quality, present) else ["present"]
    require(not changed, f"other values in {changed}", "those that were passed")


@promise("keep a state of constant shape, of tensors of their own: no views of what grows")
def _state_keeps_its_size(example: ModelExample) -> None:
    """The state keeps its size and the output stays finite over hundreds of steps."""
    x, present = draw(batch=1, time=50)
    model = example.model()
    state = model.begin(1)
    shapes = [tensor.shape for tensor in state]
    with torch.inference_mode():
        for t in range(500):
            output, state = model.step(at(x, t % 50), present[:, t % 50], state)
    after = [tensor.shape for tensor in state]
    require(after == shapes, after, f"{shapes}, as at the beginning")
    require(bool(torch.isfinite(output.mean).all()), output.mean, "a finite mean")
    for tensor in state:
        held, shown = tensor.untyped_storage().nbytes(), 4 * tensor.numel()
        require(held <= shown, f"a state that keeps {held} bytes alive", f"{shown}, as it shows")


@promise("take features through FeatureInputs, which names what does not fit")
def _wrong_feature_count_is_refused(example: ModelExample) -> None:
    """A wrong number of features is refused with what was got and wanted."""
    x, present = draw()
    try:
        example.model()({**x, Modality.ECG: x[Modality.ECG][..., :3]}, present)
    except BadInput as error:
        named = f"features of ecg have shape (3, {TIME}, 3)" in str(error)
        require(named, error, "a message with the modality and both shapes")
    else:
        require(False, "an output", "BadInput: 3 features of ecg instead of 4")


def _require_finite(output: FusionOutput, where: str) -> None:
    for name in FIELDS:
        finite = bool(torch.isfinite(getattr(output, name)).all())
        require(finite, f"{name} with NaN or infinite values {where}", "finite ones")


MODEL_CHECKS: tuple[Check[ModelExample], ...] = (
    _shapes_and_ranges_hold,
    _any_subset_of_modalities_gives_finite_output,
    _any_subset_may_follow_any_other,
    _step_equals_forward,
    _output_ignores_the_future,
    _values_of_absent_modalities_never_matter,
    _a_missing_feature_counts_as_its_average,
    _leaving_a_modality_out_equals_masking_it,
    _a_batch_of_one_equals_the_row_of_a_batch,
    _silence_gives_the_prior,
    _inputs_are_never_written_to,
    _state_keeps_its_size,
    _wrong_feature_count_is_refused,
    *FIT_CHECKS,
)
"""What `check_model` tries, in this order; the contract tests cross it with every family."""

"""The way into every model: ragged features, standardised and stacked into one clean tensor."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput
from biosense.core.types import Modality

CLIP_SD = 6.0  # standardised features beyond this are artefacts, not physiology


class Standardised(dict[Modality, Tensor]):
    """Features that one `FeatureInputs` has gone over: others of the same scale let them pass.

    Parameters
    ----------
    x
        The features as they were.
    known
        What `FeatureInputs.standardise` made of them.
    """

    def __init__(self, x: Mapping[Modality, Tensor], known: tuple[Tensor, Tensor, Tensor]) -> None:
        super().__init__(x)
        self.known = known


class FeatureInputs(nn.Module):
    """Standardise the features of all modalities and stack them into one padded tensor.

    One tensor lets all modalities pass through the same few operations, which is what makes a
    streaming step fast. Missing values (NaN or infinite features, absent modalities, padding)
    become 0, the average of a standardised feature. A modality with no finite feature is absent.

    Parameters
    ----------
    modalities
        (name, number of features) of each modality.

    Examples
    --------
    >>> layer = FeatureInputs((("eda", 1), ("ecg", 2)))
    >>> x = {Modality.EDA: torch.tensor([[2.0]]), Modality.ECG: torch.tensor([[1e9, 1.0]])}
    >>> layer(x, torch.tensor([[1.0, 0.0]]))
    (tensor([[[2., 0.],
             [0., 0.]]]), tensor([[1., 0.]]))
    """

    centre: Tensor
    inverse: Tensor
    _real: Tensor
    _index: Tensor

    def __init__(self, modalities: tuple[tuple[str, int], ...]) -> None:
        super().__init__()
        if not modalities or any(count < 1 for _, count in modalities):
            raise BadInput(
                f"a model needs modalities with at least 1 feature each, got {modalities}"
            )
        self.counts = {Modality(name): count for name, count in modalities}
        if len(self.counts) != len(modalities):
            raise BadInput(f"each modality may be named once, got {modalities}")
        self.widest = max(self.counts.values())
        shape = (len(modalities), self.widest)
        real = torch.arange(self.widest) < torch.tensor([[n] for n in self.counts.values()])
        self.register_buffer("centre", torch.zeros(shape))
        self.register_buffer("inverse", torch.ones(shape))
        self.register_buffer("_real", real, persistent=False)
        index = (real.flatten().cumsum(0) - 1).reshape(shape)  # padding repeats a feature, unused
        self.register_buffer("_index", index, persistent=False)

    def set_scale(self, scale: Mapping[Modality, tuple[Tensor, Tensor]]) -> None:
        """Set centre and spread of each modality's features, both (features,).

        Parameters
        ----------
        scale
            Centre and spread by modality, both (features,), spread positive.
        """
        for row, (modality, count) in enumerate(self.counts.items()):
            centre, spread = scale[modality]
            self.centre[row, :count] = centre
            self.inverse[row, :count] = 1 / spread

    def forward(self, x: Mapping[Modality, Tensor], present: Tensor) -> tuple[Tensor, Tensor]:
        """Standardise features and clean them of whatever is no number.

        Parameters
        ----------
        x
            Features of each modality, (.., features).
        present
            Quality, (.., modalities).

        Returns
        -------
        tuple of Tensor
            Features (.., modalities, widest) and quality (.., modalities).
        """
        values, quality, _ = self.standardise(x, present)
        return values, quality

    def standardise(
        self, x: Mapping[Modality, Tensor], present: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Do what `forward` does, and say which features had a value.

        Parameters
        ----------
        x
            Features of each modality, (.., features).
        present
            Quality, (.., modalities).

        Returns
        -------
        tuple of Tensor
            Features and quality as of `forward`, and where a value was, (.., modalities, widest).

        Raises
        ------
        BadInput
            A modality has another number of features.
        """
        if isinstance(x, Standardised):
            return x.known
        parts = [self._part(x, modality, present) for modality in self.counts]
        padded = torch.cat(parts, -1)[..., self._index]  # (.., modalities, widest)
        values = (padded - self.centre) * self.inverse
        quality = torch.nan_to_num(present).clamp(0, 1)
        usable = torch.isfinite(values) & self._real & (quality > 0).unsqueeze(-1)
        values = torch.where(usable, values, 0.0).clamp(-CLIP_SD, CLIP_SD)
        return values, quality * usable.any(-1), usable

    def _part(self, x: Mapping[Modality, Tensor], modality: Modality, present: Tensor) -> Tensor:
        wanted = (*present.shape[:-1], self.counts[modality])
        if modality not in x:
            return present.new_full(wanted, torch.nan)
        if x[modality].shape != wanted:
            raise BadInput(
                f"features of {modality} have shape {tuple(x[modality].shape)}, wanted {wanted}"
            )
        return x[modality]

"""Guess the tokens of absent modalities from those that are there: an option, off by default.

Off, because a gain over masking is not proven: see benchmarks/models/fusion_tricks.py.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from biosense.core.errors import BadInput

BLOCKS = 3  # of the cascade; MMIN has 5 at ten times the width
TRUST = 0.5  # a guess counts as a modality of half the best quality that is there
HIDDEN = 0.3  # chance that a token that is there is hidden for the loss
LOSS = 0.3  # weight of the reconstruction beside the loss of the estimate


class Reconstruction(nn.Module):
    """Guess absent tokens by a cascade of residual autoencoders.

    The missing modality imagination network [1]_ without its cycle: block k of
    the cascade [2]_ gets the tokens that are there, the mask, and the sum of what all
    blocks before it said. It is trained to restore tokens that are there and were hidden from it;
    their encoder gets no gradient from that, else tokens that say nothing would be best.

    What is guessed stays marked: a model reports it apart from what it saw, as
    `FusionOutput.reconstructed`.

    Parameters
    ----------
    modalities
        Number of modalities.
    width
        Size of a token.
    blocks
        Autoencoders in the cascade.

    References
    ----------
    .. [1] Zhao, Li, Jin (2021). Missing modality imagination network for emotion recognition with
           uncertain missing modalities. ACL.
    .. [2] Tran, Liu, Zhou, Jin (2017). Missing modalities imputation via cascaded residual
           autoencoder. CVPR.

    Examples
    --------
    >>> layer = Reconstruction(2, 4)
    >>> tokens, quality = torch.ones(1, 2, 4), torch.tensor([[0.8, 0.0]])
    >>> filled, standing = layer.fill(tokens, quality)
    >>> bool((filled[0, 0] == 1).all()), standing
    (True, tensor([[0.8000, 0.4000]]))
    """

    def __init__(self, modalities: int, width: int, blocks: int = BLOCKS) -> None:
        super().__init__()
        size = modalities * width
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(size + modalities, width), nn.GELU(), nn.Linear(width, size))
            for _ in range(blocks)
        )

    def forward(self, tokens: Tensor, there: Tensor) -> Tensor:
        """Guess every token from those that are there.

        Parameters
        ----------
        tokens
            Shape (.., modalities, width); meaningless where absent.
        there
            Shape (.., modalities), boolean.

        Returns
        -------
        Tensor
            Guesses, (.., modalities, width).
        """
        seen = (tokens * there.unsqueeze(-1)).flatten(-2)
        said, mask = torch.zeros_like(seen), there.to(tokens.dtype)
        for block in self.blocks:
            said = said + block(torch.cat((seen + said, mask), -1))
        return said.reshape(tokens.shape)

    def fill(self, tokens: Tensor, quality: Tensor) -> tuple[Tensor, Tensor]:
        """Put guesses in the place of absent tokens.

        Parameters
        ----------
        tokens
            Shape (.., modalities, width); meaningless where absent.
        quality
            In [0, 1], 0 = absent, (.., modalities).

        Returns
        -------
        tuple
            Tokens, and the quality with which each stands: that of a guess is `TRUST` of the best
            that is there, and thus 0 where nothing is: then nothing is guessed.
        """
        there = quality > 0
        standing = torch.where(there, quality, TRUST * quality.amax(-1, keepdim=True))
        guessed = (standing > 0) & ~there
        return torch.where(guessed.unsqueeze(-1), self(tokens, there), tokens), standing

    def loss(self, tokens: Tensor, quality: Tensor) -> Tensor:
        """Return the weighted squared error over tokens that are there and were hidden.

        What is hidden is drawn anew for each sequence; a step's last token is never hidden.

        Parameters
        ----------
        tokens
            Shape (.., modalities, width); meaningless where absent.
        quality
            In [0, 1], 0 = absent, (.., modalities).

        Returns
        -------
        Tensor
            Scalar; 0 where nothing was hidden.
        """
        tokens, there = tokens.detach(), quality > 0
        drawn = torch.rand(len(quality), *(1,) * (quality.ndim - 2), quality.shape[-1])
        kept = there & (drawn.to(quality) >= HIDDEN)
        kept = torch.where(kept.any(-1, keepdim=True), kept, there)
        scored = (there & ~kept).unsqueeze(-1)
        error = torch.where(scored, self(tokens, kept) - tokens, 0.0).square()
        return LOSS * error.sum() / (scored.sum() * tokens.shape[-1]).clamp(min=1)


def refuse_reconstruction(family: str, wanted: bool) -> None:
    """Refuse to reconstruct, for a family that has no place for it.

    Parameters
    ----------
    family
        As messages call it.
    wanted
        Whether it was asked for.

    Raises
    ------
    BadInput
        It was.
    """
    if wanted:
        raise BadInput(
            f"{family} cannot reconstruct absent modalities: it has no step at which all tokens "
            "meet; leave `reconstruct` out, or take another family"
        )

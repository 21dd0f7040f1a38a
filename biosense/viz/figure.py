"""A matplotlib figure that a notebook shows by itself, without pyplot and its state."""

from __future__ import annotations

import io
from typing import Any

from matplotlib.figure import Figure

FIGURE_DPI = 150  # of files that `savefig` writes
SCREEN_DPI = 92


class ShownFigure(Figure):
    """A figure that belongs to no window: a notebook shows it, `savefig` writes it.

    Examples
    --------
    >>> data, size = ShownFigure(figsize=(2, 1))._repr_png_()
    >>> data[1:4], size
    (b'PNG', {'width': 184, 'height': 92})
    """

    def _repr_png_(self) -> tuple[bytes, dict[str, Any]]:
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=2 * SCREEN_DPI)
        width, height = (round(inches * SCREEN_DPI) for inches in self.get_size_inches())
        return file.getvalue(), {"width": width, "height": height}

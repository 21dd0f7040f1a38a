"""Processing of whole recordings by the reference libraries; in no live pipeline."""

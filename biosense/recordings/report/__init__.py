"""A look at a recording: one HTML file with every stream before and after cleaning."""

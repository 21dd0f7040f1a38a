"""From data sets to results that can be believed: extract, split, train, score, report."""

"""What a study compares: families, baselines, controls, corruptions."""

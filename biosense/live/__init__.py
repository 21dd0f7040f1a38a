"""A live run: sources, recorder, pipelines, join and estimator. No Qt."""

"""DEAP: preprocessed and original files, ratings, and fabricated miniatures."""

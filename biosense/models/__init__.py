"""From features to estimates: fusion models, their training and their checkpoints."""

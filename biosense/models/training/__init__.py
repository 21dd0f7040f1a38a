"""How models are fitted: gradient descent, losses, pretraining, personalisation."""

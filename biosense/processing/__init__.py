"""From chunks to features: causal stages that run live and offline alike."""

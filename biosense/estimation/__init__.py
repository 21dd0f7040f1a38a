"""From chunks to estimates: what live runs, `estimate`, training and studies share."""

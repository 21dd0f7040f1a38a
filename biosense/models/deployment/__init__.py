"""A fitted model in use: checkpoints, cards, streaming, ONNX, quantisation."""

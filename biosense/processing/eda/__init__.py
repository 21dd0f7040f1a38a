"""Electrodermal activity: tonic level, responses, artefacts."""

"""A camera as two streams: skin colours for the pulse, and face geometry; pixels stay here."""

from biosense.acquisition.camera.discovery import CameraFound, find_cameras
from biosense.acquisition.camera.source import CameraSource
from biosense.acquisition.camera.tracking.backend import FaceBackend, Landmarks

__all__ = ["CameraFound", "CameraSource", "FaceBackend", "Landmarks", "find_cameras"]

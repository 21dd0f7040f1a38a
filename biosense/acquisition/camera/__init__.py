"""A camera as two streams: skin colours for the pulse, and face geometry; pixels stay here."""

from biosense.acquisition.camera.backend import FaceBackend, Landmarks
from biosense.acquisition.camera.discovery import CameraFound, find_cameras
from biosense.acquisition.camera.source import CameraSource

__all__ = ["CameraFound", "CameraSource", "FaceBackend", "Landmarks", "find_cameras"]

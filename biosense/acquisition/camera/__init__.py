"""A camera as two streams: skin colours for the pulse, and face geometry; pixels stay here."""

from biosense.acquisition.camera.discovery import FoundCamera, find_cameras
from biosense.acquisition.camera.source import CameraSource
from biosense.acquisition.camera.tracking.backend import FaceBackend, Landmarks

__all__ = ["CameraSource", "FaceBackend", "FoundCamera", "Landmarks", "find_cameras"]

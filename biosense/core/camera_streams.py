"""Channels of the two streams that a camera becomes: skin colour (`rppg`), face geometry (`face`).

The camera driver writes them, the simulated participant imitates them, the processing reads them;
no video is needed to compute a feature. "right" is the subject's right: image-left in a frame that
is not mirrored.
"""

from __future__ import annotations

from biosense.core.types import Modality

CAMERA_MODALITIES = (Modality.RPPG, Modality.FACE)
"""What one camera is: frames without a face are answers, and no gaps."""

RPPG_REGIONS = ("forehead", "right_cheek", "left_cheek", "background")
"""Regions of skin, and a patch of background that shows what the light does."""

RPPG_COLOURS = tuple(
    f"{region}_{value}" for region in RPPG_REGIONS for value in ("r", "g", "b", "pixels")
)
"""Mean linear red, green, blue in [0, 1] and pixel count of each region; NaN where not in view. A
recording made before the head's place was kept has these channels alone."""

HEAD_CHANNELS = ("head_x", "head_y", "head_size", "head_roll")
"""Where the head is: tip of the nose (pixels; it moves when the head shifts and when it turns),
distance of the outer eye corners (pixels), their tilt (radians, clockwise in the image); NaN
without a face. What swings with the head is no pulse."""

RPPG_CHANNELS = RPPG_COLOURS + HEAD_CHANNELS

FACE_POINTS = (
    *(f"right_eye_{n}" for n in range(1, 7)),
    *(f"left_eye_{n}" for n in range(1, 7)),
    "right_iris",
    "left_iris",
    "right_brow_inner",
    "right_brow_mid",
    "right_brow_outer",
    "left_brow_inner",
    "left_brow_mid",
    "left_brow_outer",
    "mouth_right",
    "mouth_left",
    "mouth_inner_right",
    "mouth_inner_left",
    "lip_upper_outer",
    "lip_upper_inner",
    "lip_lower_inner",
    "lip_lower_outer",
    "nose_tip",
    "nose_base",
    "nose_bridge",
    "nasion",
    "nose_right",
    "nose_left",
    "chin",
    "forehead_top",
    "face_right",
    "face_left",
    "cheek_right",
    "cheek_left",
)
"""Landmarks kept: eyes as p1..p6 of Soukupova & Cech 2016 (p1 the outer corner on the right side,
the inner corner on the left: image order), brows, mouth, nose, outline."""

POSE_CHANNELS = ("pose_x", "pose_y", "pose_z")
"""Head pose as a rotation vector in radians (axis times angle; x right, y down, z away from the
camera): it never wraps, Euler angles do."""

FACE_CHANNELS = (
    *(f"{point}_{axis}" for point in FACE_POINTS for axis in "xyz"),
    *POSE_CHANNELS,
    "confidence",
)
"""Landmarks in pixels (z: relative depth in pixels), pose, and the detector's confidence in [0, 1];
a frame without a face is all NaN, with confidence 0."""

BLENDSHAPE_CHANNELS = (
    "_neutral",
    "browDownLeft",
    "browDownRight",
    "browInnerUp",
    "browOuterUpLeft",
    "browOuterUpRight",
    "cheekPuff",
    "cheekSquintLeft",
    "cheekSquintRight",
    "eyeBlinkLeft",
    "eyeBlinkRight",
    "eyeLookDownLeft",
    "eyeLookDownRight",
    "eyeLookInLeft",
    "eyeLookInRight",
    "eyeLookOutLeft",
    "eyeLookOutRight",
    "eyeLookUpLeft",
    "eyeLookUpRight",
    "eyeSquintLeft",
    "eyeSquintRight",
    "eyeWideLeft",
    "eyeWideRight",
    "jawForward",
    "jawLeft",
    "jawOpen",
    "jawRight",
    "mouthClose",
    "mouthDimpleLeft",
    "mouthDimpleRight",
    "mouthFrownLeft",
    "mouthFrownRight",
    "mouthFunnel",
    "mouthLeft",
    "mouthLowerDownLeft",
    "mouthLowerDownRight",
    "mouthPressLeft",
    "mouthPressRight",
    "mouthPucker",
    "mouthRight",
    "mouthRollLower",
    "mouthRollUpper",
    "mouthShrugLower",
    "mouthShrugUpper",
    "mouthSmileLeft",
    "mouthSmileRight",
    "mouthStretchLeft",
    "mouthStretchRight",
    "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "noseSneerLeft",
    "noseSneerRight",
)
"""Blendshapes of the Face Landmarker, scores in [0, 1], in its order and by its names: a third
stream, where the user brings a model that has them. It is recorded and published, and no feature is
made of it. NaN without a face."""

"""From a picture to a face: landmarks, identity, head pose, skin regions."""

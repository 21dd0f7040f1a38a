"""What the window draws: Qt, and no decisions."""

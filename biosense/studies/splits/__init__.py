"""What is held out, and the proof that it was."""

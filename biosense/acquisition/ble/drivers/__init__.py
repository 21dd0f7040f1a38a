"""What each family of sensors says, and how it is told to: pure decoders and commands."""

"""What the tests of LSL share: senders, listeners, LabRecorder's way of writing."""

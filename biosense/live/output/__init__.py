"""What a run gives out: estimates and streams over LSL, its status and words to its windows."""

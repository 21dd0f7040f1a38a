"""What drivers share about time: counters of packets, clocks of samples, times of beats."""

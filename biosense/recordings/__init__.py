"""What is done with a recording on disk: inspect, synchronise, export, report."""

"""What a study found: scores assessed, verdicts, the file that keeps them."""

"""From a data set to labelled sequences of features, kept on disk and never stale."""

"""Films: decoding, resizing, the ridge filter."""

"""Pre-training: the loop and all that it stands on."""

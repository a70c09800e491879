"""From the owners' files to the batches: readers, the common index, splits, shards."""

"""Losses: pure functions of tensors, each computed in float32 whatever the precision around it."""

"""Metrics and their intervals: numpy alone, no torch, no data frames."""

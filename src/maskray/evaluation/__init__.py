"""Benchmarks of a pre-trained method: fine-tuning, linear probe, zero-shot; and the predictions they write."""

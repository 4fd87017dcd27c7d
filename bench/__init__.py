"""Benchmarks: ratios of one run, never seconds compared between machines."""

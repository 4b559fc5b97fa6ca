"""Performance figures as ratios, each measured beside its peer in one run: `python -m benchmarks`."""

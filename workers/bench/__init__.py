"""Benchmarks behind `causeway bench`: ratios against a floor measured in the same run."""

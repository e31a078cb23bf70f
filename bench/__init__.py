"""Benchmarks: the project's own load generator, the whole road next to a yardstick, and the codec alone."""

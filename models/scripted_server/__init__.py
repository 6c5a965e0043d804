"""A server that replies from a script, for tests, benchmarks and examples; 127.0.0.1 only."""

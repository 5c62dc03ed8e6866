"""The benchmarks: ``python -m benchmarks``. Real servers are driven from outside; IRChat fills the databases."""

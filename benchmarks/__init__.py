"""Benchmarks of real servers, driven from outside: ``python -m benchmarks``. IRChat's store fills the databases."""

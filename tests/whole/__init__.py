"""Tests of the whole: real processes, kills, attacks, the docs."""

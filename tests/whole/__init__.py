"""Tests of the whole: real processes, kills, abuse, the docs."""

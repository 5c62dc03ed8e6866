"""Tests of the SSH door's process."""

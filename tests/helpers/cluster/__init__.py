"""Tests of a cluster: clients that record a history, and a checker of that history."""

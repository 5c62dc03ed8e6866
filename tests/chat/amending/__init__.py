"""Tests of the changes of messages."""

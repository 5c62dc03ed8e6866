"""Tests of ``irchat/admin``."""

"""Tests of ``irchat/protocol``."""

"""Tests of ``irchat/client``."""

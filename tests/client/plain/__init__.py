"""Tests of ``irchat/client/plain``."""

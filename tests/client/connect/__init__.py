"""Tests of ``irchat/client/connect``."""

"""Tests of ``irchat/client/view``."""

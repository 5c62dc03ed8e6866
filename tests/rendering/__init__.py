"""Tests of ``irchat/rendering``."""

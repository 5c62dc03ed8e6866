"""Tests of the clients on real terminals: pseudo-terminals, tmux, GNU screen."""

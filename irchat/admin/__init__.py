"""``python -m irchat.admin``: what the person who runs the server can do, whether it runs at the moment or not."""

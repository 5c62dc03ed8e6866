"""Runs one command of the administrator."""

import sys

from irchat.admin.main import main

if __name__ == "__main__":
    sys.exit(main())

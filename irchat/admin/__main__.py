"""The command ``irchat-admin``, also ``python -m irchat.admin``."""

import sys


def run() -> None:
    """Run one command and exit with its status."""
    try:
        # Imported here: it is slow enough that a user may press Ctrl-C meanwhile.
        from irchat.admin.main import main  # noqa: PLC0415

        status = main()
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


if __name__ == "__main__":
    run()

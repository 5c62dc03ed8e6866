"""The command ``irchat-server``, also ``python -m irchat.server``: it runs ``twistd -n --pidfile= irchat``."""

import sys

from irchat.system.hangup import note
from irchat.system.streams import prepare_streams, print_error


def main() -> None:
    """Run the server in the foreground until a signal ends it."""
    note()
    prepare_streams()
    sys.argv[1:1] = ["-n", "--pidfile=", "irchat"]
    try:
        # Imported here: it is slow enough that a user may press Ctrl-C meanwhile.
        from twisted.scripts.twistd import run  # noqa: PLC0415

        run()
    except SystemExit:  # which can be an Exception too
        raise
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from irchat.startup_errors import unexpected  # noqa: PLC0415

        print_error(f"cannot start: {unexpected(error)}")
        sys.exit(1)


if __name__ == "__main__":
    main()

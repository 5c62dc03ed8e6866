"""The command ``irchat-server`` (or ``python -m irchat.server``). It runs ``twistd -n --pidfile= irchat``."""

import sys

from irchat.system.hangup import note
from irchat.system.streams import prepare_streams, print_error


def main() -> None:
    """Run the server in the foreground until a signal ends it."""
    note()
    prepare_streams()
    sys.argv[1:1] = ["-n", "--pidfile=", "irchat"]
    try:
        # Imported here: it is slow enough for a user to press Ctrl-C meanwhile.
        from twisted.scripts.twistd import run  # noqa: PLC0415

        run()
    except SystemExit:  # it can also be an Exception
        raise
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:
        from irchat.startup_errors import unexpected  # noqa: PLC0415

        print_error(f"cannot start: {unexpected(error)}")
        sys.exit(1)


if __name__ == "__main__":
    main()

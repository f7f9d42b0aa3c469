"""`python -m streamapp` is the command `streamapp`."""

import sys


def main() -> None:
    """Run the command line. Ctrl-C prints no traceback, even during the imports."""
    try:
        from streamapp.cli.root import main as run  # noqa: PLC0415 - slow enough to be interrupted

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

"""`python -m streamapp` is `streamapp`."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C ends it quietly from the first import on."""
    try:
        from streamapp.cli import main as run  # noqa: PLC0415 - takes long enough to be interrupted

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()

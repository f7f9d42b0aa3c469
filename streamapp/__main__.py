"""`python -m streamapp` is `streamapp`."""

from streamapp.cli import main

if __name__ == "__main__":
    main()

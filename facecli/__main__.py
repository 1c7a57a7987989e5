"""`python -m facecli` is `facecli`."""

from facecli.cli.app import main

if __name__ == "__main__":
    main()

"""`python -m facecli` is `facecli`."""

import signal


def main() -> None:
    """Hold Ctrl-C back while the command line is imported, so that it is answered like any later one."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    from facecli.cli.app import main as run

    run()


if __name__ == "__main__":
    main()

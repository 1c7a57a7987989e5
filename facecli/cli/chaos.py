"""`facecli chaos`: a TCP proxy that injects network faults."""

from dataclasses import asdict
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from facecli.chaos.faults import Faults
from facecli.cli.shared.fault_options import (
    Blackhole,
    Cut,
    Delay,
    FlapTimes,
    Flip,
    MaxCuts,
    Rate,
    Reset,
    Seed,
)
from facecli.cli.shared.options import Json
from facecli.cli.shared.output import Output

if TYPE_CHECKING:
    from facecli.chaos.events import Event

_TEXTS = {
    "opened": "connection {connection} opened",
    "closed": "connection {connection} closed after {to_server} bytes to the server, {to_client} back",
    "cut": "connection {connection} cut after {to_server} bytes to the server",
    "blackhole": "connection {connection} blackholed after {to_server} bytes to the server",
    "flip": "connection {connection} had a bit flipped after {to_server} bytes to the server",
    "unreachable": "connection {connection} reset: the server is unreachable",
    "down": "down, refusing connections",
    "up": "up, accepting connections",
}


def chaos(
    to: Annotated[
        str, typer.Option("--to", metavar="HOST:PORT", help="Server to forward to.", show_default=False)
    ],
    bind: Annotated[
        str,
        typer.Option("--bind", metavar="HOST:PORT", help="Address to listen on; port 0 picks a free one."),
    ] = "127.0.0.1:0",
    delay: Delay = None,
    rate: Rate = None,
    cut: Cut = None,
    cuts: MaxCuts = None,
    reset: Reset = False,
    flap: FlapTimes = None,
    blackhole: Blackhole = None,
    flip: Flip = None,
    seed: Seed = 0,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the address only.")] = False,
) -> None:
    """Run a TCP proxy that injects network faults.

    Prints `listening on HOST:PORT` to stdout when it is ready, then every event to stderr; with --json both
    go to stdout, one object per line. Cuts, blackholes and flips count the bytes that one connection has sent
    to the server; from a range, each connection draws its own value. Stop it with Ctrl-C or SIGTERM.

    Example: facecli chaos --to 127.0.0.1:50051 --bind 127.0.0.1:50099 --cut 50MB-150MB --delay 20ms

    Exit codes: 0 stopped, 2 invalid option or address.
    """
    faults = Faults(
        delay=delay or 0.0,
        rate=rate,
        cut=cut,
        cuts=cuts,
        reset=reset,
        flap=flap,
        blackhole=blackhole,
        flip=flip,
        seed=seed,
    )
    _run_proxy(to, bind, faults, Output(as_json=as_json, quiet=quiet))


def _run_proxy(server: str, bind: str, faults: Faults, output: Output) -> None:
    """Run the proxy and print its events until the process is asked to stop."""
    from facecli.chaos.proxy import Proxy
    from facecli.worker.process import ShutdownSignal

    events: SimpleQueue[Event | None] = SimpleQueue()
    ending = ShutdownSignal(with_stdin=False)

    def wait_for_stop() -> None:
        ending.wait()
        events.put(None)

    with Proxy(server, bind=bind, faults=faults, on_event=events.put) as proxy:
        output.show(
            {"event": "listening", "address": proxy.address},
            text=f"listening on {proxy.address}",
            short=proxy.address,
        )
        Thread(target=wait_for_stop, daemon=True).start()
        _print_events(events, output)
    events.put(None)
    _print_events(events, output)  # the ends of the last connections


def _print_events(events: "SimpleQueue[Event | None]", output: Output) -> None:
    """Print events until None is received."""
    for event in iter(events.get, None):
        output.event(asdict(event))
        output.note(_TEXTS[event.event].format(**asdict(event)))

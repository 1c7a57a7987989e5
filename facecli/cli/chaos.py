"""`facecli chaos`: a bad line on purpose."""

from dataclasses import asdict
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Annotated

import typer

from facecli.chaos.faults import Faults, Flap, Span
from facecli.cli.shared.fault_options import Delay, line_rate, span
from facecli.cli.shared.options import Json, time
from facecli.cli.shared.output import Output

if TYPE_CHECKING:
    from facecli.chaos.events import Event

_SAYS = {
    "opened": "connection {connection} opened",
    "closed": "connection {connection} closed after {to_server} bytes to the server, {to_client} back",
    "cut": "connection {connection} cut after {to_server} bytes to the server",
    "blackhole": "connection {connection} lets nothing pass any more after {to_server} bytes to the server",
    "flip": "connection {connection} flipped a bit after {to_server} bytes to the server",
    "unreachable": "connection {connection} ended, because the server cannot be reached",
    "down": "the line is down",
    "up": "the line is up",
}


def _flap(text: str) -> Flap:
    up, comma, down = text.partition(",")
    if not comma:
        raise typer.BadParameter(f"{text!r} is not UP,DOWN; write 10s,2s")
    flap = Flap(up=time(up), down=time(down))
    if not (flap.up and flap.down):
        raise typer.BadParameter(f"{text!r} leaves the line no time; write 10s,2s")
    return flap


def chaos(
    to: Annotated[
        str, typer.Option("--to", metavar="HOST:PORT", help="Where connections lead.", show_default=False)
    ],
    bind: Annotated[
        str, typer.Option("--bind", metavar="HOST:PORT", help="Where to listen; port 0 takes a free one.")
    ] = "127.0.0.1:0",
    delay: Delay = None,
    rate: Annotated[
        int | None,
        typer.Option("--rate", metavar="SIZE", parser=line_rate, help="Bytes per second, each way."),
    ] = None,
    cut: Annotated[
        Span | None,
        typer.Option(
            "--cut", metavar="SIZE[-SIZE]", parser=span, help="End a connection after so many bytes."
        ),
    ] = None,
    cuts: Annotated[
        int | None, typer.Option("--cuts", metavar="N", min=0, help="Cut so often and no more.")
    ] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Cut with a reset instead of a plain end.")] = False,
    flap: Annotated[
        Flap | None,
        typer.Option(
            "--flap",
            metavar="UP,DOWN",
            parser=_flap,
            help="By turns let everything pass, and refuse connections and cut the open ones.",
        ),
    ] = None,
    blackhole: Annotated[
        Span | None,
        typer.Option(
            "--blackhole",
            metavar="SIZE[-SIZE]",
            parser=span,
            help="Let nothing pass any more after so many bytes, and leave the connection open.",
        ),
    ] = None,
    flip: Annotated[
        Span | None,
        typer.Option("--flip", metavar="SIZE[-SIZE]", parser=span, help="Flip a bit every so many bytes."),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed draws the same bytes.")] = 0,
    as_json: Json = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Print the address only.")] = False,
) -> None:
    """Run a TCP proxy that injects network faults.

    Prints `listening on HOST:PORT` on stdout when it is ready, and says every fault on stderr; with --json
    both are events on stdout. Cuts, blackholes and flips count the bytes of one connection towards the
    server; a range is bars anew for every connection. SIGTERM and Ctrl-C end it.

    Example: facecli chaos --to 127.0.0.1:50051 --bind 127.0.0.1:50099 --cut 50MB-150MB --delay 20ms

    Exit codes: 0 ended as asked, 2 a bad option, or cannot listen there.
    """
    from facecli.chaos.proxy import Proxy
    from facecli.worker.process import Ending

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
    output = Output(as_json=as_json, quiet=quiet)
    events: SimpleQueue[Event | None] = SimpleQueue()
    ending = Ending(with_stdin=False)

    def until_asked() -> None:
        ending.wait()
        events.put(None)

    with Proxy(to, bind=bind, faults=faults, told=events.put) as proxy:
        output.show(
            {"event": "listening", "address": proxy.address},
            text=f"listening on {proxy.address}",
            short=proxy.address,
        )
        Thread(target=until_asked, daemon=True).start()
        _say(events, output)
    events.put(None)
    _say(events, output)  # how the last connections ended


def _say(events: "SimpleQueue[Event | None]", output: Output) -> None:
    """Every event until None comes."""
    for event in iter(events.get, None):
        output.event(asdict(event))
        output.note(_SAYS[event.event].format(**asdict(event)))

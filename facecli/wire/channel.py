"""HTTP/2 channel options of both sides, and the numbers on which they must agree.

Flow control and keepalive interact: the answer to a keepalive ping queues behind all bytes that a slow line
has taken from its sender. With a receive window of 4 MiB and a minimum rate of 32 KiB/s that is 128 s.
"""

from facecli.uploads.upload import MAX_CHUNK_SIZE
from facecli.wire.proxies import Proxy

Options = list[tuple[str, int | str]]

MESSAGE_OVERHEAD = 64 * 1024  # bytes of a message beside its chunk
MAX_MESSAGE_SIZE = MAX_CHUNK_SIZE + MESSAGE_OVERHEAD  # bytes
RECEIVE_WINDOW = 4 * 1024 * 1024  # bytes of a stream received ahead; 80 MB/s at a round trip of 50 ms
SLOW_KEEPALIVE_TIMEOUT_MS = 130_000  # for a full window on the slowest line
FAST_KEEPALIVE_TIMEOUT_MS = 5_000  # for a line that is not saturated
UNLIMITED = 2**31 - 1  # the largest value that gRPC takes
HANDSHAKE_TIMEOUT_MS = 20_000  # from accepting a connection to the first frame of HTTP/2
CONNECTION_IDLE_MS = 120_000  # without a call; the client connects again with its next one

CLIENT_OPTIONS: Options = [
    ("grpc.max_receive_message_length", MAX_MESSAGE_SIZE),
    ("grpc.enable_retries", 0),  # a broken call is resumed, not repeated
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.min_reconnect_backoff_ms", 1000),
    ("grpc.max_reconnect_backoff_ms", 2000),
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.lb_policy_name", "round_robin"),
]


def proxy_options(proxy: Proxy | None) -> Options:
    """The proxy of a client; gRPC does not look for one by itself."""
    if proxy is None:
        return [("grpc.enable_http_proxy", 0)]
    return [("grpc.http_proxy", proxy.url)]


def server_options(*, max_streams: int, max_connections: int) -> Options:
    """`max_streams` is the number of concurrent calls of one connection, 0 for any.

    A connection has no maximum age: that would end uploads that take longer.
    """
    return [
        ("grpc.server_handshake_timeout_ms", HANDSHAKE_TIMEOUT_MS),
        ("grpc.max_connection_idle_ms", CONNECTION_IDLE_MS),
        ("grpc.max_allowed_incoming_connections", max_connections),
        ("grpc.max_receive_message_length", MAX_MESSAGE_SIZE),
        ("grpc.so_reuseport", 0),
        ("grpc.max_concurrent_streams", max_streams or UNLIMITED),
        # Else a client that opens a call as soon as another one has ended is refused without a reason: gRPC
        # still counts the call that ended.
        ("grpc.http.overload_protection", 0),
        # A window that grows with the bandwidth held 150 MB of one upload when the disk was slower.
        ("grpc.http2.bdp_probe", 0),
        ("grpc.http2.lookahead_bytes", RECEIVE_WINDOW),
        # Clients send keepalive pings every few seconds, also while a watched task does not change.
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 1_000),
        ("grpc.http2.max_ping_strikes", 30),  # a stalled line delivers several pings at once
        # The server pings too, so that a half-open connection holds its slots for minutes at most.
        ("grpc.keepalive_time_ms", 20_000),
        *keepalive_timeout(SLOW_KEEPALIVE_TIMEOUT_MS),
    ]


def keepalive_timeout(milliseconds: int) -> Options:
    """The time that a peer may take to answer a ping."""
    return [
        ("grpc.keepalive_timeout_ms", milliseconds),
        # Without it a frozen peer is dropped only after 60 s.
        ("grpc.http2.ping_timeout_ms", milliseconds),
    ]

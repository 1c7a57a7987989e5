"""The configuration of nginx in front of servers: TLS ends there, or passes through."""

from collections.abc import Sequence

from facecli.operations.front import Front

_HEAD = """\
# {file}, for nginx 1.22 or newer. Each server behind it, where PROXY is the address
# of nginx as the servers see it:
#   {serve}
# Clients: facecli upload --server {name}:{port} --tls clip.mp4
# One open call takes two of the worker_connections of nginx.conf.
"""

_SITE = """\
map $http_content_type $facecli_grpc {{
    default 0;
    "~^application/grpc($|[+;])" 1;  # and not gRPC-Web, which is HTTP
}}

# nginx finds out by a failed connection that a server is away, and tries the next one. Only what was not
# sent yet is sent to another server; facecli repeats the rest where it can.
upstream facecli_grpc {{
    zone facecli_grpc 128k;
    least_conn;
{grpc_servers}
    keepalive 32;
}}

upstream facecli_http {{
    zone facecli_http 128k;
    least_conn;
{http_servers}
    keepalive 32;
    keepalive_timeout 30s;  # shorter than the minute of facecli
}}

server {{
    listen {port} ssl http2 so_keepalive=60s:10s:6;
    server_name {name};
    ssl_certificate "{cert}";
    ssl_certificate_key "{key}";
    ssl_protocols TLSv1.2 TLSv1.3;

    # facecli has its own limits of sizes and times; nginx only ends what is silent for longer.
    client_max_body_size 0;
    client_body_buffer_size 1m;  # of an upload on its way; at 50 ms to the client it allows 20 MB/s
    client_body_timeout 10m;
    send_timeout 10m;
    keepalive_requests 1000000;
    http2_max_concurrent_streams 256;

    location / {{
        if ($facecli_grpc) {{
            grpc_pass {grpc_scheme}://facecli_grpc;
        }}
        # nginx never buffers the requests of gRPC.
        grpc_connect_timeout 3s;
        grpc_read_timeout 1d;  # a watch may be silent for long
        grpc_send_timeout 10m;
        grpc_socket_keepalive on;
        grpc_next_upstream error timeout;
        grpc_set_header X-Forwarded-For $remote_addr;  # in place of what the client says
        grpc_set_header Forwarded "";
{grpc_tls}
        proxy_pass {http_scheme}://facecli_http;
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_set_header Connection "";
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header Forwarded "";
        proxy_request_buffering off;  # or the progress of an upload would be that of nginx
        proxy_buffering off;
        proxy_connect_timeout 3s;
        proxy_read_timeout 1d;
        proxy_send_timeout 10m;
        proxy_next_upstream error timeout;
{http_tls}    }}

    location = /metrics {{
        return 404;
    }}
}}
"""

_SERVER_TLS = """\
        {kind}_ssl_verify on;
        {kind}_ssl_trusted_certificate "{ca}";
        {kind}_ssl_name {name};
        {kind}_ssl_server_name on;
"""

_STREAM = """\
# Include it at the top level of nginx.conf, beside http {{ }}. It needs the package libnginx-mod-stream.
# TLS ends at the servers. A client that offers HTTP/2 and not HTTP/1.1 speaks gRPC; all others speak HTTP.
# The servers learn the client's address of HTTP by the PROXY protocol; that of gRPC is nginx's.
stream {{
    map $ssl_preread_alpn_protocols $facecli_protocol {{
        default facecli_http;
        "~\\bhttp/1\\.1\\b" facecli_http;
        "~\\bh2\\b" facecli_grpc_here;
    }}

    upstream facecli_http {{
        zone facecli_http 128k;
        least_conn;
{http_servers}
    }}

    upstream facecli_grpc {{
        zone facecli_grpc 128k;
        least_conn;
{grpc_servers}
    }}

    upstream facecli_grpc_here {{
        server {local};
    }}

    server {{
        listen {port} so_keepalive=60s:10s:6;
        ssl_preread on;
        preread_timeout 20s;
        proxy_connect_timeout 3s;
        proxy_timeout 1d;  # a watch may be silent for long
        proxy_socket_keepalive on;
        proxy_protocol on;
        proxy_pass $facecli_protocol;
    }}

    # gRPC does not know the PROXY protocol: take it off again. Any free port of this machine will do.
    server {{
        listen {local} proxy_protocol;
        proxy_connect_timeout 3s;
        proxy_timeout 1d;
        proxy_socket_keepalive on;
        proxy_pass facecli_grpc;
    }}
}}
"""


def nginx_site(front: Front) -> str:
    """A site at which TLS ends."""
    scheme = "s" if front.ca else ""
    tls = {
        kind: _SERVER_TLS.format(kind=kind, ca=front.ca, name=front.name) if front.ca else ""
        for kind in ("grpc", "proxy")
    }
    head = _head(front, "/etc/nginx/sites-enabled/facecli.conf", tls=bool(front.ca))
    return f"{head}\n" + _SITE.format(
        name=front.name,
        port=front.port,
        cert=front.cert,
        key=front.key,
        grpc_servers=_servers(front.servers, indent=4),
        http_servers=_servers(front.http_servers, indent=4),
        grpc_scheme=f"grpc{scheme}",
        http_scheme=f"http{scheme}",
        grpc_tls=tls["grpc"],
        http_tls=tls["proxy"],
    )


def nginx_stream(front: Front, *, local: str = "127.0.0.1:50050") -> str:
    """A part of nginx.conf that passes TLS through; `local` is a free address of its machine."""
    head = _head(front, "/etc/nginx/facecli-stream.conf", "--proxy-header proxy-protocol", tls=True)
    return head + _STREAM.format(
        port=front.port,
        local=local,
        grpc_servers=_servers(front.servers, indent=8),
        http_servers=_servers(front.http_servers, indent=8),
    )


def _head(front: Front, file: str, *options: str, tls: bool) -> str:
    serve = front.serve_command(*options, tls=tls)
    return _HEAD.format(file=file, serve=serve, name=front.name, port=front.port)


def _servers(addresses: Sequence[str], *, indent: int) -> str:
    lines = [f"{' ' * indent}server {address} max_fails=1 fail_timeout=5s;" for address in addresses]
    return "\n".join(lines)

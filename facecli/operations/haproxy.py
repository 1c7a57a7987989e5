"""The configuration of HAProxy in front of servers: TLS ends there, or passes through."""

from collections.abc import Sequence

from facecli.operations.front import Front

_HEAD = """\
# For HAProxy 2.6 or newer; append it to /etc/haproxy/haproxy.cfg. Each server behind it, where PROXY is the
# address of HAProxy as the servers see it:
#   {serve}
# Clients: facecli upload --server {name}:{port} --tls clip.mp4
# A server is asked for /readyz every two seconds, and gets nothing new while it is not ready, as during its
# shutdown.
"""

_DEFAULTS = """\
defaults facecli
    mode {mode}
    log global
    option {log}
    option dontlognull
    maxconn 4000
    timeout connect 3s
    timeout http-request 20s
    timeout http-keep-alive 75s
    # facecli has its own limits; here a watch may be silent for long. Lost peers are found by TCP keepalive.
    timeout client 1d
    timeout server 1d
    timeout client-fin 30s
    timeout server-fin 30s
    timeout queue 30s
    timeout check 3s
    option clitcpka
    clitcpka-idle 60s
    clitcpka-intvl 10s
    clitcpka-cnt 6
    option srvtcpka
    srvtcpka-idle 60s
    srvtcpka-intvl 10s
    srvtcpka-cnt 6
    # Only a connection that could not be made is tried again, on another server: nothing was sent on it.
    retries 3
    retry-on conn-failure
    option redispatch 1
    balance leastconn
    option httpchk GET /readyz
    http-check expect status 200
    default-server inter 2s fastinter 500ms fall 2 rise 1 init-addr last,libc,none
"""

_SITE = """\
global
    tune.h2.initial-window-size 1048576  # of an upload on its way; at 50 ms to the client it allows 20 MB/s
    tune.h2.max-concurrent-streams 256

{defaults}
frontend facecli from facecli
    # The certificate with its chain and its key, in one file: cat fullchain.pem privkey.pem
    bind :{port} ssl crt "{cert}" alpn h2,http/1.1 ssl-min-ver TLSv1.2
    http-request deny deny_status 404 if {{ path,url_dec -m str /metrics }}
    # In place of what the client says.
    http-request set-header X-Forwarded-For %[src]
    http-request del-header Forwarded
    # And not gRPC-Web, which is HTTP.
    use_backend facecli_grpc if {{ req.hdr(content-type) -m reg ^application/grpc($|[+;]) }}
    default_backend facecli_http

backend facecli_grpc from facecli
    option http-no-delay
{grpc_servers}

backend facecli_http from facecli
    option http-no-delay
{http_servers}
"""

_PASS_THROUGH = """\
# TLS ends at the servers. A client that offers HTTP/2 and not HTTP/1.1 speaks gRPC; all others speak HTTP.
# The servers learn the client's address of HTTP by the PROXY protocol; that of gRPC is HAProxy's.
{defaults}
frontend facecli from facecli
    bind :{port}
    tcp-request inspect-delay 20s
    tcp-request content accept if {{ req.ssl_hello_type 1 }}
    acl http1 req.ssl_alpn -m sub http/1.1
    acl http2 req.ssl_alpn -m reg (^|,)h2(,|$)
    use_backend facecli_grpc if http2 !http1
    default_backend facecli_http

backend facecli_grpc from facecli
{grpc_servers}

backend facecli_http from facecli
{http_servers}
"""


def haproxy_site(front: Front) -> str:
    """A site at which TLS ends; the file of its certificate has its key, too."""
    tls = f" ssl verify required ca-file {_quoted(front.ca)} verifyhost {front.name} sni str({front.name})"
    secure = tls if front.ca else ""
    check = f"check port {front.http_port}" + (f" check-ssl check-sni {front.name}" if front.ca else "")
    grpc = f"{check} check-proto h1{secure} " + ("alpn h2" if front.ca else "proto h2")
    return _head(front, tls=bool(front.ca)) + _SITE.format(
        defaults=_DEFAULTS.format(mode="http", log="httplog"),
        port=front.port,
        cert=front.cert,
        grpc_servers=_servers(front.servers, grpc),
        http_servers=_servers(front.http_servers, f"check{secure}"),
    )


def haproxy_pass_through(front: Front) -> str:
    """A part of the configuration that passes TLS through to the servers."""
    verified = f"verify required ca-file {_quoted(front.ca)} verifyhost {front.name}"
    check = f"check check-ssl check-sni {front.name} check-send-proxy " + (
        verified if front.ca else "verify none"
    )
    return _head(front, "--proxy-header proxy-protocol", tls=True) + _PASS_THROUGH.format(
        defaults=_DEFAULTS.format(mode="tcp", log="tcplog"),
        port=front.port,
        grpc_servers=_servers(front.servers, f"{check} port {front.http_port}"),
        http_servers=_servers(front.http_servers, f"{check} send-proxy-v2"),
    )


def _head(front: Front, *options: str, tls: bool) -> str:
    return _HEAD.format(serve=front.serve_command(*options, tls=tls), name=front.name, port=front.port)


def _servers(addresses: Sequence[str], options: str) -> str:
    lines = [f"    server facecli{number} {address} {options}" for number, address in enumerate(addresses, 1)]
    return "\n".join(lines)


def _quoted(path: str) -> str:
    return f'"{path}"'

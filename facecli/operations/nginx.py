"""The site of nginx in front of a server: TLS ends there, and gRPC and HTTP share its port."""

from dataclasses import dataclass

from facecli.core.errors import InvalidInput

_SITE = """\
# /etc/nginx/sites-enabled/facecli.conf, for nginx 1.22 or newer. The server behind it:
#   facecli serve --bind {grpc} --http {http} --http-url https://{name} --auth token --workers 2
# Clients: facecli upload --server {name}:{port} --tls clip.mp4
# The log of facecli has the address of nginx in place of the client's; that of nginx has the client's.

map $http_content_type $facecli_grpc {{
    default 0;
    "~^application/grpc($|[+;])" 1;  # and not gRPC-Web, which is HTTP
}}

server {{
    listen {port} ssl http2;
    server_name {name};
    ssl_certificate "{cert}";
    ssl_certificate_key "{key}";
    ssl_protocols TLSv1.2 TLSv1.3;

    # facecli has its own limits of sizes and times; nginx only ends what is silent for longer.
    client_max_body_size 0;
    client_body_timeout 10m;
    send_timeout 10m;
    keepalive_requests 1000000;

    location / {{
        if ($facecli_grpc) {{
            grpc_pass grpc://{grpc};
        }}
        grpc_read_timeout 1d;  # a watch may be silent for long
        grpc_send_timeout 10m;
        grpc_socket_keepalive on;

        proxy_pass http://{http};
        proxy_http_version 1.1;
        proxy_set_header Host $http_host;
        proxy_request_buffering off;  # or the progress of an upload would be that of nginx
        proxy_buffering off;
        proxy_read_timeout 1d;
        proxy_send_timeout 10m;
    }}

    location = /metrics {{
        return 404;
    }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A public name and port with the files of its certificate; `grpc` and `http` are of the server."""

    name: str
    port: int
    cert: str
    key: str
    grpc: str
    http: str


def nginx_site(site: Site) -> str:
    """The configuration of a site; InvalidInput for a path that nginx cannot read."""
    for path in (site.cert, site.key):
        if set(path) & set('"$\\\n'):
            raise InvalidInput(
                f"{path!r} is not a path for nginx: use one without quotes, $, \\ and newlines"
            )
    return _SITE.format(
        name=site.name, port=site.port, cert=site.cert, key=site.key, grpc=site.grpc, http=site.http
    )

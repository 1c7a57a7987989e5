"""Settings of facecli: names, types, defaults and descriptions. `loader` reads their values."""

# ruff: noqa: RUF009  (`_setting` is `field`)

from dataclasses import dataclass, field, fields
from typing import Any, Literal

from facecli.config.amounts import Count, Size, Time

PREFIX = "FACECLI_"
LOCAL = "local"  # the server that runs while a command needs it

ProgressKind = Literal["auto", "rich", "tqdm", "json", "none"]
Auth = Literal["none", "token"]
Durability = Literal["power", "process"]
InswapperProvider = Literal["cpu", "cuda", "coreml"]
LabelPolicyName = Literal["required", "default", "off"]
LabelTextName = Literal["en", "zh"]
LabelFramesName = Literal["opening", "all"]
ProxyHeader = Literal["x-forwarded-for", "forwarded", "proxy-protocol"]
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]


def _setting(default: Any, sentence: str, *, secret: bool = False) -> Any:
    return field(default=default, metadata={"sentence": sentence, "secret": secret})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Settings:
    """Sizes in bytes, times in seconds. An empty path is the platform's default."""

    server: str = _setting(
        "127.0.0.1:50051",
        "Address of the server; separate several with commas; `local` runs one while a command needs it.",
    )
    user: str = _setting("", "User to act as; implied by a token or client certificate.")
    token: str = _setting("", "Access token to send to the server.", secret=True)
    token_file: str = _setting("", "File with the access token, read again for every call.")
    tls: bool = _setting(False, "Connect to the server over TLS; implied by any TLS file option.")
    tls_ca: str = _setting(
        "", "CA certificate (PEM) that verifies the server; the system's public CAs if empty."
    )
    tls_cert: str = _setting("", "Certificate (PEM) of the server, or of a client for mutual TLS.")
    tls_key: str = _setting("", "Private key (PEM) of the certificate.")
    tls_client_ca: str = _setting(
        "", "CA certificate (PEM) that verifies clients; their certificates name the user."
    )
    auth: Auth = _setting(
        "none",
        "How callers authenticate: `none` trusts the name they send, `token` requires a token or client "
        "certificate.",
    )
    timeout: Time = _setting(
        0.0, "Stop the command after this time with exit code 124; 0 for no limit. Tasks continue."
    )
    call_timeout: Time = _setting(30.0, "Deadline of a single call, such as one status request.")
    retry_for: Time = _setting(
        600.0,
        "Give up after this time without progress; 10s for commands without transfer or watch, 0 for doctor.",
    )
    chunk_size: Size = _setting(
        10 * 1024 * 1024, "Upload chunk size, from 64KiB to 16MiB; the server acknowledges every chunk."
    )
    limit_rate: Size = _setting(0, "Upload rate limit in bytes per second; 0 for none.")
    progress: ProgressKind = _setting("auto", "Progress display.")
    bind: str = _setting("127.0.0.1:50051", "Address to listen on; port 0 picks a free port.")
    http: str = _setting(
        "", "Address to listen on for HTTP: browsers, and clients without gRPC; none if empty."
    )
    http_url: str = _setting(
        "", "URL under which clients reach --http, for links to files; made of its address if empty."
    )
    cors_origin: str = _setting(
        "",
        "Origin whose pages may call the server over HTTP, as https://app.example or http://localhost:*; "
        "separate several with commas.",
    )
    trusted_proxies: str = _setting(
        "",
        "Networks of proxies that are believed when they name their client, as 10.0.0.0/8 or 192.0.2.7; "
        "separate several with commas; none if empty.",
    )
    proxy_header: ProxyHeader = _setting(
        "x-forwarded-for",
        "How these proxies name their client: in `x-forwarded-for` or `forwarded`, or with `proxy-protocol` "
        "at the start of each connection to --http.",
    )
    metrics: str = _setting(
        "",
        "Address to listen on for Prometheus, which needs no token; with --http on a loopback address, "
        "/metrics is there if empty.",
    )
    insecure: bool = _setting(
        False,
        "Allow listening on the network without TLS or authentication, and sending a token unencrypted.",
    )
    reflection: bool = _setting(
        False, "Offer gRPC server reflection, with which tools such as grpcurl list and call methods."
    )
    data_dir: str = _setting("", "Path of the data directory.")
    blobs: str = _setting(
        "",
        "Bucket for uploads and results, s3://BUCKET/PREFIX, with boto3's own configuration; the data "
        "directory if empty.",
    )
    blob_cache: Size = _setting(
        32 * 1024**3, "Size of the copies that a machine keeps of files in a bucket, to read them."
    )
    database: str = _setting(
        "",
        "PostgreSQL URL, postgresql://USER@HOST/NAME, for several machines; SQLite in the data directory if "
        "empty.",
        secret=True,
    )
    workers: Count = _setting(1, "Number of workers that the server starts.")
    engine: str = _setting(
        "", "Default engine for tasks; if empty, mesh where the swap extra is installed, else mock."
    )
    inswapper_model: str = _setting(
        "", "Path of your own weights (ONNX) that draw the faces of engine inswapper."
    )
    inswapper_model_sha256: str = _setting("", "SHA-256 that these weights must have; any if empty.")
    inswapper_recognizer: str = _setting(
        "", "Path of your own weights (ONNX) that recognize the face for engine inswapper."
    )
    inswapper_recognizer_sha256: str = _setting("", "SHA-256 that these weights must have; any if empty.")
    inswapper_provider: InswapperProvider = _setting(
        "cpu", "What runs the weights of engine inswapper; no other one stands in for it."
    )
    label_policy: LabelPolicyName = _setting(
        "required",
        "Labels of results as AI-made: `required`, `default` for all tasks that do not waive them with "
        "--no-label, or `off`.",
    )
    label_text: LabelTextName = _setting(
        "en", "Language of the visible label: `en` is AI MODIFIED, `zh` is AI生成."
    )
    label_frames: LabelFramesName = _setting(
        "opening", "Frames that show the visible label: the `opening` 2 s, or `all`."
    )
    label_producer: str = _setting(
        "facecli",
        "ContentProducer of the implicit label: the code of the service provider, ASCII without spaces.",
    )
    label_c2pa_cert: str = _setting(
        "", "Certificate with its chain (PEM) that signs labelled results as C2PA; not signed if empty."
    )
    label_c2pa_key: str = _setting("", "Private key (PEM) of that certificate.")
    label_c2pa_tsa: str = _setting("", "URL of an RFC 3161 authority that time-stamps the signatures.")
    consent_required: bool = _setting(
        False, "Refuse tasks without --consent, the consent of the person whose face is used."
    )
    result_expiry: Time = _setting(
        30 * 86400.0, "Retention of ended tasks and their results; 0 for unlimited."
    )
    task_timeout: Time = _setting(86400.0, "Maximum duration of one attempt at a task; 0 for unlimited.")
    segment_timeout: Time = _setting(3600.0, "Maximum duration of one video segment; 0 for unlimited.")
    max_crashes: Count = _setting(
        5, "Worker or ffmpeg crashes without a finished segment in between that fail a task."
    )
    ffmpeg: str = _setting("", "Path of ffmpeg; if empty, searches PATH, then the ffmpeg extra.")
    max_file_size: Size = _setting(20 * 1024**3, "Maximum size of an upload.")
    upload_expiry: Time = _setting(7 * 86400.0, "Delete incomplete uploads after this time without activity.")
    idle_limit: Time = _setting(30.0, "Idle timeout of an upload stream.")
    min_rate: Size = _setting(32 * 1024, "Minimum rate of an upload stream, in bytes per second.")
    drain_timeout: Time = _setting(
        10.0,
        "Time for running calls to end when the server shuts down; then uploads end, and can resume.",
    )
    durability: Durability = _setting(
        "power", "What acknowledged data survives: a `power` failure, or only a `process` crash."
    )
    max_uploads: Count = _setting(64, "Maximum concurrent uploads.")
    max_watchers: Count = _setting(1000, "Maximum concurrent watchers.")
    max_downloads: Count = _setting(64, "Maximum concurrent downloads.")
    max_calls: Count = _setting(128, "Maximum concurrent unary calls.")
    user_share: Count = _setting(
        75, "Percentage of each concurrency limit that one authenticated user can take."
    )
    max_streams: Count = _setting(
        256, "Maximum concurrent calls per connection, 0 for unlimited; further calls wait in the client."
    )
    max_user_bytes: Size = _setting(
        200 * 1024**3, "Storage quota per user for uploads and results; 0 for unlimited."
    )
    max_user_unfinished: Count = _setting(1000, "Maximum incomplete uploads per user; 0 for unlimited.")
    max_user_waiting: Count = _setting(1000, "Maximum waiting tasks per user; 0 for unlimited.")
    probe_timeout: Time = _setting(
        10.0,
        "Maximum time to check a file of a new task, plus 1 s per 50 MB of a video.",
    )
    max_pixels: Count = _setting(36_000_000, "Maximum size of a picture or video frame, in pixels.")
    max_video_seconds: Count = _setting(3 * 3600, "Maximum length of a video, in seconds.")
    segment_megapixels: Count = _setting(
        1500, "Segment size in megapixels: the work lost when a worker crashes; 1500 is 1 min of 720p."
    )
    notify_hosts: str = _setting(
        "",
        "Hosts that webhooks may notify, as hooks.example.org or *.example.org; separate several with "
        "commas; none if empty.",
    )
    notify_networks: str = _setting(
        "", "Private networks that webhooks may reach, as 10.0.0.0/8; separate several with commas."
    )
    notify_key: str = _setting("", "Key that signs webhooks.", secret=True)
    log_level: LogLevel = _setting("info", "Minimum level of log messages from servers and workers.")
    log_format: LogFormat = _setting("text", "Log format.")
    traces: bool = _setting(
        False, "Send traces by OpenTelemetry, as its variables OTEL_* say; needs the extra otel."
    )

    def __repr__(self) -> str:
        """Secrets are shown as ***."""
        shown = {setting.name: getattr(self, setting.name) for setting in fields(self)}
        hidden = {setting.name for setting in fields(self) if setting.metadata["secret"]}
        parts = [
            f"{name}={'***' if name in hidden and value else repr(value)}" for name, value in shown.items()
        ]
        return f"Settings({', '.join(parts)})"


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + name.upper()

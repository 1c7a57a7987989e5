"""Units for systemd: a server, and workers that run by themselves."""

from collections.abc import Sequence

_PATH = "/etc/systemd/system"

_SERVER = """\
# {path}/facecli.service
#   useradd --system --home-dir /var/lib/facecli --shell /usr/sbin/nologin facecli
#   facecli generate systemd > {path}/facecli.service
#   systemctl daemon-reload && systemctl enable --now facecli
[Unit]
Description=facecli server
{common}
# Settings: FACECLI_BIND, FACECLI_WORKERS, FACECLI_AUTH, FACECLI_TLS_CERT, FACECLI_DATABASE, ... (mode 0600)
EnvironmentFile=-/etc/facecli/facecli.env
Environment=FACECLI_DATA_DIR=/var/lib/facecli
Environment=FACECLI_METRICS=127.0.0.1:9464
Environment=FACECLI_LOG_FORMAT=json
# The config file is /etc/facecli/config.toml; systemctl reload applies the log_level under [default] in it.
Environment=XDG_CONFIG_HOME=/etc
ExecStart={command} serve
{hardening}"""

_WORKER = """\
# {path}/facecli-worker@.service
#   facecli generate systemd --worker > {path}/facecli-worker@.service
#   systemctl daemon-reload && systemctl enable --now facecli-worker@gpu-7
[Unit]
Description=facecli worker %i
{common}
# Settings: FACECLI_DATABASE, FACECLI_METRICS, FACECLI_SEGMENT_TIMEOUT, ... (mode 0600)
EnvironmentFile=-/etc/facecli/facecli.env
EnvironmentFile=-/etc/facecli/worker-%i.env
Environment=FACECLI_DATA_DIR=/var/lib/facecli
Environment=FACECLI_LOG_FORMAT=json
# The config file is /etc/facecli/config.toml; systemctl reload applies the log_level under [default] in it.
Environment=XDG_CONFIG_HOME=/etc
ExecStart={command} worker --name %i
{hardening}"""

_COMMON = """\
Wants=network-online.target
After=network-online.target postgresql.service
# It never gives up: the database or the bucket may be away for long.
StartLimitIntervalSec=0

[Service]
# facecli says when it takes calls or tasks, and pings the watchdog while its database and its threads answer.
Type=notify
NotifyAccess=main
# The migration of a large database takes its time.
TimeoutStartSec=15min
WatchdogSec=60
ExecReload=/bin/kill -HUP $MAINPID
User=facecli
StateDirectory=facecli
StateDirectoryMode=0700
UMask=0077"""

_HARDENING = """\
Restart=on-failure
RestartSec=5
# An invalid setting, and what is refused by policy: starting again changes nothing.
RestartPreventExitStatus=2 10
# facecli ends its workers by itself, and they end ffmpeg; what remains after the time-out is killed.
KillMode=mixed
# Longer than FACECLI_DRAIN_TIMEOUT, 10 s by default, and 15 s.
TimeoutStopSec=30
LimitNOFILE=65536
OOMPolicy=continue

NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
# An engine on a GPU needs its device: PrivateDevices=no
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectProc=invisible
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
# The last four are for the sandbox of ffmpeg; older versions of systemd do not count them as usual ones.
SystemCallFilter=@system-service seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self

[Install]
WantedBy=multi-user.target
"""


def unit(command: Sequence[str], *, worker: bool) -> str:
    """The unit of a server or of workers; `command` starts `facecli`."""
    text = _WORKER if worker else _SERVER
    words = " ".join(_quoted(word) for word in command)
    return text.format(path=_PATH, common=_COMMON, command=words, hardening=_HARDENING)


def _quoted(word: str) -> str:
    """A word of ExecStart, in which systemd replaces % and $, and splits at spaces."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if any(letter in word for letter in " \t\"'\\;") else escaped

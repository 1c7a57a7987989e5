"""Retired words: names and phrases that this project no longer uses, by what to use instead.

`python -m tests.support.retired_words` prints every use; tests/support/language.py finds them.
"""

import sys
from pathlib import Path

# Use instead → class names, case-sensitive, wherever an identifier may stand.
CLASSES = {
    # uploads
    "UploadService": "Inbox",
    "UploadLimits": "InboxLimits",
    "ChunkCommitter": "Storing",
    "OpenUpload, OpenUploads": "OpenFile OpenFiles",
    "UploadVerifier": "UploadCheck",
    "UploadCollector": "UploadRemoval",
    # calls
    "UploadPipeline": "Intake",
    "UploadSession": "Reception VideoReception",
    "MinRateDeadline": "Credit",
    "SendPool": "Outbox",
    # tasks
    "TaskService": "TaskBoard",
    "TaskWorkflow": "Swapping",
    "AttemptLimits": "SwapLimits",
    "ProgressReporter": "RunWatch",
    "Checkpoints, PlanCheckpoints": "KeptWork KeptPlan",
    "TaskVerifier": "TaskCheck",
    "TaskCollector": "TaskRemoval",
    # repositories
    "UploadRepository, TaskRepository, …": "UploadRows TaskRows TokenRows UsageRows WorkerRows",
    "SqlUploadRepository, SqlTaskRepository, …": "SqlUploadRows SqlTaskRows SqlTokenRows",
    "SqlUsageRepository, SqlWorkerRepository, …": "SqlUsageRows SqlWorkerRows SqlDirectoryRows",
    # time, rate, retry
    "IdleTracker": "Silence",
    "RetryBudget": "Patience",
    "SendRateLimiter, ProgressThrottle, PacedProgress": "Pace",
    # maintenance
    "Garbage, GarbageKind": "Leftover LeftoverKind",
    "Action, FaultPlan": "Fate",
    "ServerComponents": "Keeping",
    # engines and media
    "MockOptions": "Mood",
    "Oscillation": "Swing",
    "ProbeLog": "Story",
    "FrameProperties": "Look",
    "StderrTail": "LastWords",
    # command line and fault proxy
    "SafeProgress": "Shield",
    "Command": "Wish",
    "Direction": "Toward",
    # tests
    "TwoTenantServer": "House",
    "RunningServer": "World",
}

# Use instead → functions, constants, variables and attributes.
IDENTIFIERS = {
    # uploads and calls
    "received, expired, idle_seconds": "earn spent",
    "RECEIVE_QUEUE, COMMIT_QUEUE": "ARRIVED WRITTEN",
    "EVICT_IDLE_AFTER, TIMEOUT": "PATIENCE",
    "REJECT_THREADS, REJECT_BACKLOG": "REFUSING LOOKED_AT",
    "UNLIMITED": "ANY",
    "KEEPALIVE_TIMEOUT_MS": "ANSWER_WITHIN",
    "submit": "soon",
    "connection failures": "NO_TALK",
    # authentication
    "ANONYMOUS_USER": "NOBODY",
    "authenticate, authenticated_user, trusted": "proved believed",
    "a CallContext": "let_in numbered",
    "authentication_required": "asks_who",
    # tasks and workers
    "record_crash, max_crashes": "struck most_deaths",
    "heartbeat, check, probe_writable": "beat rehearse",
    "MISSED_HEARTBEATS": "LOOKS",
    "PROGRESS_INTERVAL, CANCEL_CHECK_INTERVAL": "TELL_EVERY CHECK_EVERY",
    # maintenance
    "repaired, remedy, hint": "mended cure",
    "garbage, collect": "leftover leftovers cleared",
    # engines and media
    "sandboxed, hardened_input, sandbox_status": "walled unwalled media_walls walls WALLS",
    "require_sdr": "require_dull",
    "options, mock_options": "mood",
    # fault proxy and load generator
    "open_watchers": "watch_together",
    "wakeup_r, wakeup_w": "bell ringer",
    # anywhere: the name of the data, or on_event for a callback
    "reported, received, messages, on_event": "told heard",
    # tests
    "two_tenant_server": "open_house",
    "upload_repository, task_repository, …": "upload_rows task_rows token_rows usage_rows worker_rows",
}

# Use instead → phrases.
PHRASES = {
    # sandbox
    "sandbox": ("walls", "wall around", "wall of the kernel", "walled", "walled in"),
    # authentication
    "authenticated, unauthenticated, permitted": (
        "let in",
        "lets in",
        "let them in",
        "shows nothing that holds",
    ),
    "trusts the name": ("believes every name", "says a name", "believed name", "names are believed"),
    "implied by": ("says it by itself", "say it by itself"),
    "authentication required": ("asks who", "ask who calls", "who one is there"),
    # relative clauses for actors
    "the caller, the client, the user": (
        "whom",
        "whoever",
        "who asks",
        "who shows",
        "for who",
        "to who",
        "by who",
    ),
    "reconnects, resumes": ("who comes back", "nobody comes back"),
    "unused, orphaned, expired": (
        "nobody needs",
        "nobody goes on",
        "nobody knows",
        "nothing knows",
        "nobody wants",
    ),
    "data": ("the things of", "another's things", "every thing", "anybody's things", "own things"),
    # faults and repair
    "repair, fix": ("mend", "mends", "mended", "mending"),
    "failed": ("met a bug", "meets a bug", "met bugs"),
    "crash": ("a death", "deaths of", "death of its", "one death more", "struck"),
    "check the disk": ("is the disk well",),
    "a proxy that injects network faults": (
        "as bad as you ask",
        "makes lines bad",
        "line that is bad",
        "a bad line",
    ),
    "deleted while in use": ("behind our back",),
    # output and messages
    "diagnostics": ("is talk", "talk on stderr", "no talk"),
    "must be greater than 0": ("no call takes no time", "takes no time"),
    "are not allowed in": ("is no place for",),
    "unknown settings": ("has no use for",),
    "skipping": ("is not to be run",),
    "lease expired": ("does not answer; its task",),
    # time, admission control
    "heartbeat": ("a beat", "beats", "without a beat"),
    "slot": (
        "a place for every",
        "holds a place",
        "gets no place",
        "get no place",
        "no place free",
        "holds places",
    ),
    "idle": ("fell silent", "says nothing", "say nothing", "said nothing"),
    "periodic job": ("housekeeping", "again and again"),
    # storage
    "checkpoint": ("kept work", "work that is kept", "what is kept"),
    "garbage collection": ("tidies up", "clear away", "clears away", "cleared away"),
    "again, from the start": ("anew",),
    # people, not code
    "receives, is notified": (
        "hears of",
        "hear of",
        "hears from",
        "is told",
        "are told",
        "was told",
        "hears every",
    ),
    "checks": ("looks whether", "look whether", "looked whether"),
    "limits": ("so much and no more", "so many and no more", "so often and no more"),
}

# Words that begin no docstring: its first sentence is a noun phrase or an imperative.
QUESTION_WORDS = {"what", "who", "whom", "whose", "how", "where", "which", "whatever", "whoever", "wherever"}


def main() -> None:
    from tests.support.language import findings

    found = findings(Path(__file__).parents[2])
    sys.stdout.writelines(f"{line}\n" for line in [*found, f"{len(found)} findings"])


if __name__ == "__main__":
    main()

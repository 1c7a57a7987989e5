"""Measure uploads to a bucket beside other programs, in alternation: seconds, and CPU of client and server.

`python -m tests.support.blobs.load_s3 --mib 500 --rounds 5 --aws /tmp/aws/bin/aws` sends a file to `rclone
serve s3` through a server of facecli, by rclone, and by the command `aws`, which the tests do not need.
Prints the seconds of each as median, smallest and largest, and the ratio of each pair round by round.
"""

import argparse
import itertools
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.support.blobs.s3_servers import BUCKET, rclone_server
from tests.support.web.load_uploads import FACECLI, Job, Timing, listening, show

FACECLI_UPLOAD, AWS, RCLONE = "facecli upload", "aws s3 cp", "rclone copyto"
PAIRS = ((FACECLI_UPLOAD, AWS), (FACECLI_UPLOAD, RCLONE))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mib", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--aws", default="", help="the command aws")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        content = folder / "content.mp4"
        with content.open("wb") as file:
            file.writelines(os.urandom(2**20) for _ in range(arguments.mib))
        files = folder / "files"
        (files / BUCKET).mkdir(parents=True)
        bucket = stack.enter_context(rclone_server(files))
        environment = {**os.environ, **bucket.environment, "FACECLI_LOG_LEVEL": "error"}
        options = ("--bind", "127.0.0.1:0", "--workers", "0", "--engine", "mock", "--blobs", bucket.url())
        server, address = stack.enter_context(
            listening(*FACECLI, "serve", *options, "--data-dir", folder / "data", environment=environment)
        )
        upload = [*FACECLI, "upload", "--server", address, "--no-resume", "-q", str(content)]
        remote = f":s3,provider=Other,env_auth=true,endpoint='{bucket.endpoint}':{BUCKET}"
        number = itertools.count()  # of objects; rclone sends none that is there
        rclone = (str(Path(sys.executable).with_name("rclone")), "copyto", str(content))
        found = {
            FACECLI_UPLOAD: Job(server=server, command=lambda: upload),
            RCLONE: Job(server=bucket.pid, command=lambda: [*rclone, f"{remote}/{next(number)}"]),
        }
        if arguments.aws:
            aws = (arguments.aws, "s3", "cp", "--quiet", str(content))
            found[AWS] = Job(server=bucket.pid, command=lambda: [*aws, f"s3://{BUCKET}/{next(number)}"])
        timings: dict[str, list[Timing]] = {key: [] for key in found}
        for _ in range(arguments.rounds):
            for key, job in found.items():
                timings[key].append(job.run(environment))
        show(timings, PAIRS)


if __name__ == "__main__":
    main()

"""The least that a durable upload can take: one file over plain TCP, and fsync before the answer.

`python -m tests.support.web.raw_transfer serve FOLDER` prints its port; `… send PORT FILE` sends one file.
"""

import os
import socket
import sys
from pathlib import Path

BLOCK_SIZE = 1024 * 1024  # bytes received and written at once


def serve(folder: Path) -> None:
    block = memoryview(bytearray(BLOCK_SIZE))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        while True:
            connection, _ = listener.accept()
            with connection, (folder / "raw").open("wb", buffering=0) as file:
                while received := connection.recv_into(block):
                    data = block[:received]
                    while data:
                        data = data[file.write(data) :]
                os.fsync(file.fileno())
                connection.sendall(b".")


def send(port: int, path: Path) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection, path.open("rb") as file:
        connection.sendfile(file)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(1) == b".", "the server did not answer"


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(Path(sys.argv[2]))
    else:
        send(int(sys.argv[2]), Path(sys.argv[3]))

"""Load generator for watch streams: very many watchers of one task in one thread.

This is the only asynchronous code: a thousand watchers in a thousand threads take five times the CPU and wait
for each other, so a bench would measure its own process.
"""

import asyncio
import time
from collections.abc import Callable
from itertools import cycle, islice

import grpc

from facecli.client.connection import Connection
from facecli.tasks.view import TaskView
from facecli.wire import tasks as wire
from facecli.wire.generated import task_service_pb2 as pb

WATCHERS_PER_CHANNEL = 250

WatchLog = list[tuple[float, TaskView]]  # every update with its arrival time, in seconds since 1970


def open_watchers(
    connection: Connection, task_id: str, *, user: str, count: int, ready: Callable[[], None]
) -> list[WatchLog]:
    """Watch a task `count` times until it ends; returns the log of each watcher.

    `ready` is called when every watcher has received its first update.
    """
    with connection.translated_errors():
        logs = asyncio.run(_watch(connection, task_id, user, count, ready))
    return [
        [(at, wire.from_message(pb.WatchTaskResponse.FromString(data).task)) for at, data in log]
        for log in logs
    ]


async def _watch(
    connection: Connection, task_id: str, user: str, count: int, ready: Callable[[], None]
) -> list[list[tuple[float, bytes]]]:
    request = pb.WatchTaskRequest(user_id=user, task_id=task_id)
    waiting = count

    async def follow(channel: grpc.aio.Channel) -> list[tuple[float, bytes]]:
        nonlocal waiting
        log: list[tuple[float, bytes]] = []
        method = channel.unary_stream(
            "/video.TaskService/WatchTask",
            request_serializer=pb.WatchTaskRequest.SerializeToString,
            response_deserializer=lambda data: (time.time(), data),  # parsed after the measurement
        )
        async for update in method(request, metadata=connection.metadata):
            log.append(update)
            if len(log) == 1:
                waiting -= 1
                if not waiting:
                    ready()
        return log

    own = ("grpc.use_local_subchannel_pool", 1)
    needed = max(len(connection.addresses), -(-count // WATCHERS_PER_CHANNEL))
    channels = [
        grpc.aio.insecure_channel(address, options=[*connection.options(address), own])
        for address in islice(cycle(connection.addresses), needed)
    ]
    try:
        return await asyncio.gather(*(follow(channels[number % len(channels)]) for number in range(count)))
    finally:
        for channel in channels:
            await channel.close()

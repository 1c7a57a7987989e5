"""Very many watchers of one task in one thread, for who measures.

Everything else here is synchronous. A thousand watchers in a thousand threads of one process would measure
that process: they need five times the work, and wait for each other.
"""

import asyncio
import time
from collections.abc import Callable

import grpc

from facecli.client.connection import Connection
from facecli.tasks.task import Task
from facecli.wire import tasks as wire
from facecli.wire.channel import CLIENT_OPTIONS
from facecli.wire.generated import task_service_pb2 as pb

WATCHERS_PER_CHANNEL = 250

ProbeLog = list[tuple[float, Task]]  # when it arrived, in seconds since 1970, and what


def open_watchers(
    connection: Connection, task_id: str, *, user: str, count: int, ready: Callable[[], None]
) -> list[ProbeLog]:
    """What each of so many watchers was told up to the end. `ready` is called when each was told once."""
    with connection.calling():
        told = asyncio.run(_watch(connection, task_id, user, count, ready))
    return [
        [(at, wire.from_message(pb.WatchTaskResponse.FromString(data).task)) for at, data in story]
        for story in told
    ]


async def _watch(
    connection: Connection, task_id: str, user: str, count: int, ready: Callable[[], None]
) -> list[list[tuple[float, bytes]]]:
    request = pb.WatchTaskRequest(user_id=user, task_id=task_id)
    waiting = count

    async def follow(channel: grpc.aio.Channel) -> list[tuple[float, bytes]]:
        nonlocal waiting
        story: list[tuple[float, bytes]] = []
        method = channel.unary_stream(
            "/video.TaskService/WatchTask",
            request_serializer=pb.WatchTaskRequest.SerializeToString,
            response_deserializer=lambda data: (time.time(), data),  # read when nothing is measured any more
        )
        async for told in method(request, metadata=connection.metadata):
            story.append(told)
            if len(story) == 1:
                waiting -= 1
                if not waiting:
                    ready()
        return story

    options = [*CLIENT_OPTIONS, ("grpc.use_local_subchannel_pool", 1)]
    channels = [
        grpc.aio.insecure_channel(connection.target, options=options)
        for _ in range(-(-count // WATCHERS_PER_CHANNEL))
    ]
    try:
        return await asyncio.gather(*(follow(channels[number % len(channels)]) for number in range(count)))
    finally:
        for channel in channels:
            await channel.close()

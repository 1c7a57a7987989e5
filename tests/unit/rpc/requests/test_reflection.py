"""Server reflection: offered only on request, to callers with credentials."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from facecli.bootstrap.server import run_server
from facecli.config.settings import Settings
from facecli.core.auth import Tokens
from facecli.rpc.methods import METHODS
from tests.support.rpc.refusals import refused
from tests.unit.rpc.conftest import bearing


@pytest.fixture
def channel(settings: Settings) -> Iterator[grpc.Channel]:
    changed = replace(settings, reflection=True)
    with run_server(changed) as server, grpc.insecure_channel(server.address) as channel:
        yield channel


def question(channel: grpc.Channel) -> object:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    return next(stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="*")])))


def test_a_client_without_proto_files_finds_every_method_and_calls_one(channel: grpc.Channel) -> None:
    database = ProtoReflectionDescriptorDatabase(channel)
    pool = DescriptorPool(database)
    services = [name for name in database.get_services() if name.startswith("video.")]
    found = {f"/{name}/{method.name}" for name in services for method in pool.FindServiceByName(name).methods}
    assert found == METHODS.keys()
    method = pool.FindServiceByName("video.FileService").methods_by_name["GetServerInfo"]
    call: Any = channel.unary_unary(
        "/video.FileService/GetServerInfo",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(method.output_type).FromString,
    )
    assert call(GetMessageClass(method.input_type)()).chunk_size == 10 * 1024 * 1024


def test_a_server_does_not_offer_reflection_by_itself(settings: Settings) -> None:
    with run_server(settings) as server, grpc.insecure_channel(server.address) as channel:
        assert refused(lambda: question(channel))[0] is grpc.StatusCode.UNIMPLEMENTED


def test_reflection_needs_credentials_where_all_calls_do(settings: Settings, made: Tokens) -> None:
    secret = made.create("ann")[1]
    with run_server(replace(settings, reflection=True, auth="token")) as server:
        with grpc.insecure_channel(server.address) as stranger:
            assert refused(lambda: question(stranger))[0] is grpc.StatusCode.UNAUTHENTICATED
        with bearing(server.address, secret) as stubs:
            assert question(stubs.channel)


def test_a_message_that_is_no_question_is_refused(channel: grpc.Channel) -> None:
    call: Any = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
    codes = [refused(lambda: list(call(iter([message]))))[0] for message in (b"\xff\xff", b"x" * 100_000)]  # noqa: B023
    assert codes == [grpc.StatusCode.INVALID_ARGUMENT] * 2

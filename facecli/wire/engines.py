"""Converts engines and their options to protobuf messages and back."""

from facecli.core.errors import UnexpectedResponse
from facecli.core.video.engine_options import EngineOption, OptionType
from facecli.core.video.engines import EngineInfo
from facecli.wire import responses
from facecli.wire.generated import file_service_pb2 as pb


def engine_to_message(engine: EngineInfo) -> pb.EngineInfo:
    return pb.EngineInfo(
        name=engine.name,
        version=engine.version,
        options=[_option_to_message(each) for each in engine.options],
    )


def engine_from_message(message: pb.EngineInfo) -> EngineInfo:
    """An engine of a server; options of a type that this version does not know are left out."""
    known = [each for each in responses.listed(message.options) if each.type in set(OptionType)]
    return EngineInfo(
        name=responses.word(message.name),
        version=responses.word(message.version),
        package="",
        needs=(),
        broken="",
        options=tuple(map(_option_from_message, known)),
    )


def _option_to_message(option: EngineOption) -> pb.EngineOption:
    return pb.EngineOption(
        name=option.name,
        type=option.type,
        about=option.about,
        default_value=option.default,
        minimum=option.minimum,
        maximum=option.maximum,
        choices=option.choices,
    )


def _option_from_message(message: pb.EngineOption) -> EngineOption:
    if not message.minimum <= message.maximum:  # also NaN
        raise UnexpectedResponse(f"impossible bounds of an option: {message.minimum} to {message.maximum}")
    return EngineOption(
        name=responses.word(message.name),
        type=OptionType(message.type),
        about=responses.text(message.about),
        default=responses.word(message.default_value),
        minimum=message.minimum,
        maximum=message.maximum,
        choices=responses.words(message.choices),
    )

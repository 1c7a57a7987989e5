"""Weights of one's own: what cannot be used is refused in a sentence before any task."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from facecli.core.errors import NotConfigured, NotReady
from facecli.engines.inswapper.generated_face import GeneratedFace
from facecli.engines.inswapper.networks import Swapper
from facecli.engines.inswapper.weights import OwnWeights, Provider
from tests.support.media import own_weights
from tests.support.media.portraits import HOPPER, portrait

pytestmark = pytest.mark.media

TWO = (own_weights.ROTATED, own_weights.ROTATED)
NO_EMAP = "must hold one emap, a matrix of 512x512 numbers, and has"


@pytest.fixture
def weights(tmp_path: Path) -> OwnWeights:
    return OwnWeights(
        swapper=str(own_weights.swapper(tmp_path / "swapper.onnx")),
        recognizer=str(own_weights.recognizer(tmp_path / "recognizer.onnx")),
    )


def load(weights: OwnWeights) -> None:
    """Load the networks, and try them on a known face."""
    weights.check()
    face = portrait(HOPPER)
    GeneratedFace.load(weights, face).check(face)


def test_usable_weights_are_loaded_and_have_a_digest(weights: OwnWeights) -> None:
    load(weights)
    sha256 = hashlib.sha256(Path(weights.swapper).read_bytes()).hexdigest()
    assert replace(weights, swapper_sha256=sha256.upper()).check() == weights.check()
    own_weights.swapper(Path(weights.swapper), gains=(1, 1, 0.5))
    assert weights.check() != replace(weights, swapper=weights.recognizer).check()
    with pytest.raises(NotReady, match=f"inswapper_model: {weights.swapper} has the sha256 .*, not that of"):
        replace(weights, swapper_sha256=sha256).check()


def test_without_weights_the_engine_is_not_configured() -> None:
    with pytest.raises(NotConfigured, match="no weights: set inswapper_model to the path of an ONNX file"):
        OwnWeights().check()
    with pytest.raises(NotReady, match="no weights: set inswapper_model") as raised:
        OwnWeights(recognizer="/given").check()
    assert not isinstance(raised.value, NotConfigured)


REFUSED: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "the swapper is missing": (
        lambda swapper, recognizer: swapper.unlink(),
        "swapper.onnx cannot be read: No such file or directory",
    ),
    "the swapper is no network": (
        lambda swapper, recognizer: swapper.write_bytes(b"weights"),
        "swapper.onnx cannot be loaded by onnxruntime: ",
    ),
    "faces of another size": (
        lambda swapper, recognizer: own_weights.swapper(swapper, shape=(3, 256, 256)),
        "has no input of the shape 1x3x128x128, but: target 1x3x256x256, source 1x512",
    ),
    "a latent of another size": (
        lambda swapper, recognizer: own_weights.swapper(swapper, latent=256),
        "has no input of the shape 1x512, but: target 1x3x128x128, source 1x256",
    ),
    "a recognizer of another size": (
        lambda swapper, recognizer: own_weights.recognizer(recognizer, side=160),
        "has no input of the shape 1x3x112x112, but: face 1x3x160x160",
    ),
    "an embedding of another size": (
        lambda swapper, recognizer: own_weights.recognizer(recognizer, length=256),
        "has no output of the shape 1x512, but: embedding 1x256",
    ),
    "the two files in each other's place": (
        lambda swapper, recognizer: own_weights.swapper(recognizer),
        "recognizer.onnx has no input of the shape 1x3x112x112",
    ),
    "no emap": (lambda swapper, recognizer: own_weights.swapper(swapper, emaps=()), f"{NO_EMAP}: none"),
    "two emaps": (
        lambda swapper, recognizer: own_weights.swapper(swapper, emaps=TWO),
        f"{NO_EMAP}: emap0, emap1; put it into .*swapper.npy",
    ),
    "an emap of another size beside it": (
        lambda swapper, recognizer: np.save(swapper.with_suffix(".npy"), np.eye(3)),
        "swapper.npy has the shape 3x3; an emap has 512x512",
    ),
    "a file of pickles beside it": (
        lambda swapper, recognizer: np.save(swapper.with_suffix(".npy"), np.array([{}]), allow_pickle=True),
        "swapper.npy cannot be read: ",
    ),
    "a black face": (
        lambda swapper, recognizer: own_weights.swapper(swapper, gains=(0, 0, 0)),
        "the weights draw a black or distorted face",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_weights_that_cannot_be_used_are_refused_with_the_reason(weights: OwnWeights, case: str) -> None:
    damage, reason = REFUSED[case]
    damage(Path(weights.swapper), Path(weights.recognizer))
    with pytest.raises(NotReady, match=reason):
        load(weights)


@pytest.mark.parametrize("provider", [Provider.CUDA, Provider.COREML])
def test_the_cpu_never_stands_in_for_a_gpu(weights: OwnWeights, provider: Provider) -> None:
    asked = f"provider {provider} was asked for, and this onnxruntime has only .*CPUExecutionProvider"
    with pytest.raises(NotReady, match=asked):
        load(replace(weights, provider=provider))


def test_the_emap_beside_the_weights_precedes_the_one_in_them(weights: OwnWeights) -> None:
    embedding = np.arange(512, dtype=np.float32)
    inside = Swapper(weights).latent(embedding[None])
    assert np.allclose(inside, np.roll(embedding, 1)[None] / np.linalg.norm(embedding))
    np.save(Path(weights.swapper).with_suffix(".npy"), 2 * np.eye(512))
    assert np.allclose(Swapper(weights).latent(embedding), embedding[None] / np.linalg.norm(embedding))

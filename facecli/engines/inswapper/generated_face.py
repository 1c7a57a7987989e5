"""GeneratedFace: the source face as a user's networks draw it on a target."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from facecli.core.errors import NotReady
from facecli.engines.inswapper.networks import CHIP_SIDE, FACE_SIDE, Latent, Recognizer, Swapper, Tensor
from facecli.engines.inswapper.weights import OwnWeights
from facecli.engines.mesh.arrays import Alpha, Image, Mask, Points, resized
from facecli.engines.mesh.drawing.color import ColorTable, in_lab, recolored
from facecli.engines.mesh.landmarks import LEFT_EYE, RIGHT_EYE, Similarity
from facecli.engines.mesh.patch import MARGIN, DrawnFace, TargetFace
from facecli.engines.mesh.source import SourceFace

NOSE_TIP, RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER = 4, 61, 291
LEAST_LIKENESS = 0.3  # correlation of a test face's light before and after; a black or distorted one has none

# Where ArcFace has eyes, nose tip and mouth corners in 112 pixels; 128 pixels have 8 more on both sides.
_CHIP_POINTS = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
_LIKENESS_SIDE = 16


class GeneratedFace:
    """A `FaceSource` of the networks; the sessions live as long as this."""

    margin = MARGIN

    def __init__(self, source: SourceFace, recognizer: Recognizer, swapper: Swapper) -> None:
        self._swapper = swapper
        chip, _ = aligned(source.picture, source.points, CHIP_SIDE)
        self._latent: Latent = swapper.latent(recognizer.embed(tensor(chip, low=-1.0)))

    @classmethod
    def load(cls, weights: OwnWeights, source: SourceFace) -> "GeneratedFace":
        """NotReady for weights that do not load, or have the wrong shapes."""
        return cls(source, Recognizer(weights), Swapper(weights))

    @property
    def provider(self) -> str:
        """The provider of the swapper, by onnxruntime's name."""
        return self._swapper.provider

    def draw(self, targets: Sequence[TargetFace]) -> Sequence[DrawnFace]:
        if not targets:
            return ()
        crops = [aligned(target.pixels, target.points, FACE_SIDE) for target in targets]
        faces = np.concatenate([tensor(crop, low=0.0) for crop, _ in crops])
        new = self._swapper.draw(faces, self._latent)
        return [
            placed(face, matrix, target)
            for face, (_, matrix), target in zip(new, crops, targets, strict=True)
        ]

    def check(self, source: SourceFace) -> None:
        """Draw on a known face; NotReady if nothing like a face comes out."""
        crop, _ = aligned(source.picture, source.points, FACE_SIDE)
        old = tensor(crop, low=0.0)
        new = self._swapper.draw(old, self._latent)
        likeness = _light_likeness(old[0], new[0])
        if likeness < LEAST_LIKENESS:
            raise NotReady(
                f"the weights draw a black or distorted face (likeness {likeness:.2f} of at least "
                f"{LEAST_LIKENESS}); 16-bit weights do so with some versions of onnxruntime"
            )


def five_points(points: Points) -> npt.NDArray[np.float64]:
    """The centres of the eyes, the tip of the nose and the corners of the mouth, as ArcFace has them."""
    eyes = [points[list(eye), :2].mean(0) for eye in (RIGHT_EYE, LEFT_EYE)]
    others = [points[index, :2] for index in (NOSE_TIP, RIGHT_MOUTH_CORNER, LEFT_MOUTH_CORNER)]
    return np.asarray([*eyes, *others], np.float64)


def aligned(picture: Image, points: Points, side: int) -> tuple[Image, npt.NDArray[np.float64]]:
    """The face upright in a square, and the matrix from the picture to it."""
    wanted = _CHIP_POINTS + np.array([(side - CHIP_SIDE) / 2, 0.0])
    fit = Similarity.fit(five_points(points), wanted)
    matrix = np.concatenate([fit.linear, fit.shift[:, None]], 1)
    flags = cv2.INTER_AREA if fit.scale < 0.5 else cv2.INTER_LINEAR
    return np.asarray(cv2.warpAffine(picture, matrix, (side, side), flags=flags), np.uint8), matrix


def tensor(picture: Image, *, low: float) -> Tensor:
    """The picture as 1 x 3 x side x side, red first, from `low` to 1."""
    values = picture[..., ::-1].astype(np.float32).transpose(2, 0, 1)[None] / np.float32(255)
    return np.ascontiguousarray(values * np.float32(1 - low) + np.float32(low))


def placed(face: npt.NDArray[np.float32], matrix: npt.NDArray[np.float64], target: TargetFace) -> DrawnFace:
    """The drawn face where the target's was; a value that is no number becomes 0."""
    finite = np.clip(np.nan_to_num(face), 0, 1).transpose(1, 2, 0)[..., ::-1]
    pixels = np.ascontiguousarray(np.round(finite * 255).astype(np.uint8))
    back = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    drawn = cv2.warpAffine(pixels, matrix, target.size, flags=back, borderMode=cv2.BORDER_REPLICATE)
    inside = np.ones(pixels.shape[:2], np.uint8)
    nearest = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    covered = cv2.warpAffine(inside, matrix, target.size, flags=nearest)
    return DrawnPicture(np.asarray(drawn, np.uint8), np.asarray(covered, np.uint8), target)


class DrawnPicture:
    """A `DrawnFace` of pixels that a network has drawn."""

    def __init__(self, pixels: Image, covered: Mask, target: TargetFace) -> None:
        self._pixels = pixels
        self._small = target.thumbnail.size
        self.covered: Mask = np.asarray(resized(covered, self._small, nearest=True), np.uint8)
        self.likeness: Alpha = np.ones(self.covered.shape, np.float32)

    def sample(self) -> Image:
        return in_lab(np.asarray(resized(self._pixels, self._small, mean=False), np.uint8))

    def pixels(self, table: ColorTable | None) -> Image:
        return self._pixels if table is None else recolored(in_lab(self._pixels), table)


def _light_likeness(old: npt.NDArray[np.float32], new: npt.NDArray[np.float32]) -> float:
    """The correlation of two small grey pictures, 0 for one without contrast."""
    small = [
        cv2.resize(np.nan_to_num(face).mean(0), (_LIKENESS_SIDE,) * 2, interpolation=cv2.INTER_AREA).ravel()
        for face in (old, new)
    ]
    spread = [values - values.mean() for values in small]
    norm = float(np.linalg.norm(spread[0]) * np.linalg.norm(spread[1]))
    return float(spread[0] @ spread[1]) / norm if norm > 1e-6 else 0.0

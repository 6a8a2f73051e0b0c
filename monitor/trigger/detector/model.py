"""An ONNX detector: opened once, asked picture by picture, never trusted.

Opening tries the network on a grey picture, so that a wrong file, input or output is found by
``causeway check`` and not by night. It may be asked from several threads at once.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from monitor.clock import Clock
from monitor.config.models import DetectorSettings
from monitor.domain import Actor
from monitor.errors import DetectorError
from monitor.trigger.detector import outputs
from monitor.trigger.detector.fit import Image, Pixels, blob, letterboxed, stretched
from monitor.trigger.detector.outputs import Detections, Kind, Layout

INSTALL: Final = (
    "the extra `detector` is not installed; run `pip install --no-deps -r "
    "requirements-detector.lock`, or leave `detector.model` out"
)
_OPEN_PX: Final = 640  # where the model leaves its input's size open
_OPEN_LIMIT_S: Final = 30.0
_LIMIT_FACTOR: Final = 5.0  # of the budget; then a picture is given up
_LIMIT_S: Final = 1.0  # and never less: one slow picture is no slow model
_LOW_SHARE: Final = 0.25  # of min_score: what may carry on an identity (ByteTrack)
_DOUBLES: Final = 0.45  # IoU; as YOLOX's own demonstration
_DETR_DOUBLES: Final = 0.8  # it is trained to say a thing once; it says it of two classes
_HIDDEN: Final = 0.3  # of a person's box within a vehicle's
_GREY: Final = 114
_REASON_CHARS: Final = 200
_INPUTS: Final[Mapping[str, type[np.floating[Any]]]] = {
    "tensor(float)": np.float32, "tensor(float16)": np.float16,
}  # fmt: skip
_SIZES: Final[Mapping[str, type[np.signedinteger[Any]]]] = {
    "tensor(int64)": np.int64, "tensor(int32)": np.int32,
}  # fmt: skip


class Detector:
    """A network that was opened and understood; ``DetectorError`` from anything it does."""

    def __init__(
        self, settings: DetectorSettings, clock: Clock, *, open_limit_s: float = _OPEN_LIMIT_S
    ) -> None:
        """Open ``settings.model``; takes seconds, so never on an event loop.

        Its first picture, which also settles memory, may take ``open_limit_s``.
        """
        self._settings = settings
        self._clock = clock
        self._session, self._run_options = _session(settings)
        self._input, self._sizes = _inputs(self._session)
        self.size = _size(self._input.shape)
        self._layout: Layout | None = None
        grey = np.full((*self.size, 3), _GREY, np.uint8)
        wanted = None if settings.kind == "auto" else Kind(settings.kind)
        found = self._run(grey, (self.size[1], self.size[0]), "rgb_1", open_limit_s)
        layout = outputs.recognise(found, self.size, wanted)
        if (layout.kind is Kind.RTDETR) != (self._sizes is not None):
            raise DetectorError(
                "labels, boxes and scores come with a second input of whole numbers (1, 2), the "
                "picture's width and height, as RT-DETR and D-FINE export it, and nothing else "
                "does; export it so"
            )
        self._layout = layout
        self.detect(grey)  # decodes; the second run is also the first that is not slow
        began_s = clock.monotonic_s()
        self.detect(grey)
        self.spent_ms = (clock.monotonic_s() - began_s) * 1000

    def __str__(self) -> str:
        assert self._layout is not None
        return (
            f"{self._layout.kind} for {self.size[1]}x{self.size[0]} on "
            f"{'CUDA' if self.on_cuda else 'the CPU'}, {self.spent_ms:.0f} ms per picture"
        )

    @property
    def on_cuda(self) -> bool:
        """Whether it runs on a GPU."""
        return "CUDAExecutionProvider" in self._session.get_providers()

    @property
    def kind(self) -> Kind:
        """How its outputs are read."""
        assert self._layout is not None
        return self._layout.kind

    def detect(self, picture: Image) -> tuple[Detections, npt.NDArray[np.bool_]]:
        """Vehicles and people in a BGR picture, and which of them are people.

        Scores go down to a quarter of ``min_score``; at most 300 boxes.
        """
        assert self._layout is not None
        layout, settings = self._layout, self._settings
        fitted, fit = (letterboxed if layout.letterboxes else stretched)(picture, self.size)
        found = self._run(
            fitted,
            (fit.width_px, fit.height_px),
            _pixels(settings, layout.kind),
            max(_LIMIT_S, _LIMIT_FACTOR * settings.budget_ms / 1000),
        )
        try:
            things = outputs.decode(
                layout, found, fit, self.size,
                _LOW_SHARE * settings.min_score, [*settings.vehicles, *settings.persons],
            )  # fmt: skip
        except (IndexError, ValueError) as error:  # numpy's, of shapes
            raise DetectorError(f"its outputs changed their shapes: {error}") from error
        people = np.isin(things.classes, settings.persons)
        overlap = _DOUBLES if layout.letterboxes else _DETR_DOUBLES
        things = outputs.without_doubles(things, people.astype(np.int64), overlap)
        people = np.isin(things.classes, settings.persons)
        own = ~_behind(things, people)
        return things.only(own), people[own]

    def _run(
        self, fitted: Image, picture_size: tuple[int, int], pixels: Pixels, limit_s: float
    ) -> dict[str, npt.NDArray[Any]]:
        feed = {self._input.name: blob(fitted, pixels, _INPUTS[self._input.type])}
        if self._sizes is not None:
            feed[self._sizes.name] = np.array([picture_size], _SIZES[self._sizes.type])
        names = [one.name for one in self._session.get_outputs()]
        options = self._run_options()
        options.log_severity_level = 4  # what it says comes as an error
        # Between two nodes the network can be stopped; watching waits for this call.
        alarm = threading.Timer(limit_s, setattr, (options, "terminate", True))
        alarm.daemon = True
        alarm.start()
        try:
            with _translated(f"it failed after up to {limit_s:g} s"):
                values = self._session.run(names, feed, options)
        finally:
            alarm.cancel()
        wrong = [n for n, v in zip(names, values, strict=True) if not isinstance(v, np.ndarray)]
        if wrong:
            raise DetectorError(f"its output {wrong[0]} is no tensor; docs/detector.md lists them")
        return dict(zip(names, values, strict=True))


def _session(settings: DetectorSettings) -> tuple[Any, Any]:
    """The open network, and what makes the options of one run."""
    path = Path(settings.model or "")
    if not path.is_file():
        raise DetectorError(f"{path}: there is no such file; name an ONNX file, or none")
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError as error:
        raise DetectorError(INSTALL) from error
    offered = runtime.get_available_providers()
    if settings.provider == "cuda" and "CUDAExecutionProvider" not in offered:
        raise DetectorError(
            "this onnxruntime has no CUDA; install onnxruntime-gpu in its place, or write "
            "`provider: cpu`"
        )
    providers = ["CPUExecutionProvider"]
    if settings.provider != "cpu" and "CUDAExecutionProvider" in offered:
        providers.insert(0, "CUDAExecutionProvider")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = settings.threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    with _translated(f"{path} cannot be opened as an ONNX model"):
        session = runtime.InferenceSession(str(path), options, providers=providers)
    if settings.provider == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        raise DetectorError(
            "CUDA cannot be used: its libraries do not match this onnxruntime-gpu, or there is no "
            "GPU; mend that, or write `provider: cpu`"
        )
    return session, runtime.RunOptions


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """onnxruntime's errors as ``DetectorError``."""
    try:
        yield
    except _failures() as error:
        reason = " ".join(str(error).split())[:_REASON_CHARS]
        raise DetectorError(f"{what}: {reason}") from error


def _failures() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: its own errors have no base in common."""
    module = importlib.import_module("onnxruntime.capi.onnxruntime_pybind11_state")
    return (
        RuntimeError, ValueError, TypeError, MemoryError,
        *(
            error for error in vars(module).values()
            if isinstance(error, type) and issubclass(error, Exception)
        ),
    )  # fmt: skip


def _inputs(session: Any) -> tuple[Any, Any | None]:
    """The picture's input, and the one for its size if there is one."""
    given = session.get_inputs()
    pictures = [
        one for one in given
        if one.type in _INPUTS and len(one.shape) == 4
        and (one.shape[1] == 3 or not isinstance(one.shape[1], int))
    ]  # fmt: skip
    sizes = [one for one in given if one.type in _SIZES and len(one.shape) == 2]
    batch = pictures[0].shape[0] if len(pictures) == 1 else None
    if len(pictures) != 1 or len(pictures) + len(sizes) != len(given) or len(sizes) > 1:
        found = ", ".join(f"{one.name} {one.type} {one.shape}" for one in given)
        raise DetectorError(
            f"its inputs ({found or 'none'}) are not a picture (1, 3, height, width) of floats, "
            "with or without a size (1, 2) of whole numbers; docs/detector.md says how to export"
        )
    if isinstance(batch, int) and batch != 1:
        raise DetectorError(f"it takes {batch} pictures at once; export it with a batch of 1")
    return pictures[0], sizes[0] if sizes else None


def _size(shape: list[int | str | None]) -> tuple[int, int]:
    """Height and width of the input; 640 where they are open."""
    height, width = (side if isinstance(side, int) else _OPEN_PX for side in shape[2:])
    if not (32 <= height <= 4096 and 32 <= width <= 4096):
        raise DetectorError(f"its input is {width}x{height}; 32 to 4096 pixels a side are taken")
    return height, width


def _pixels(settings: DetectorSettings, kind: Kind) -> Pixels:
    """As each family is trained, unless the settings say otherwise."""
    if settings.pixels != "auto":
        return settings.pixels
    if kind in (Kind.YOLOX, Kind.YOLOX_DECODED):
        return "bgr_255"
    return "rgb_imagenet" if kind is Kind.DETR_SOFTMAX else "rgb_1"


def _behind(things: Detections, people: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """People who ride, sit in or stand behind a vehicle: none is on the road by himself.

    Much of such a person's box is within the vehicle's, and his feet are above its wheels; those
    of somebody who walks before it are below.
    """
    hidden = np.zeros(len(things), np.bool_)
    if not people.any() or people.all():
        return hidden
    person, vehicle = things.boxes[people][:, None], things.boxes[~people][None]
    low = np.maximum(person[..., :2], vehicle[..., :2])
    high = np.minimum(person[..., 2:], vehicle[..., 2:])
    shared = np.clip(high - low, 0, None).prod(axis=-1)
    area = (person[..., 2:] - person[..., :2]).prod(axis=-1)
    within = (shared > _HIDDEN * area) & (person[..., 3] < vehicle[..., 3])
    hidden[people] = within.any(axis=1)
    return hidden


def actor(is_person: bool) -> Actor:
    """What the rest of the trigger calls it."""
    return Actor.PEDESTRIAN if is_person else Actor.VEHICLE

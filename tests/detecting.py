"""Small ONNX detectors, generated: some say the same of any picture, one sees colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from onnx import ModelProto, TensorProto, helper, numpy_helper, save

Array = npt.NDArray[Any]

SIZE: Final = (384, 640)  # height and width of the colour detector's input
CAR: Final = 2  # of the 80 classes of COCO
HUES: Final = ((0, 255, 0), (255, 255, 0), (255, 0, 0))
"""Green, cyan and blue as BGR: nothing else in the rendered scene is so bright, nor red."""

_CELL: Final = 8
_SPREADS: Final = 20  # cells that a body's farthest edges are carried through
_OPSET: Final = 17
_TYPES: Final = {np.dtype(t): n for t, n in (
    ("float32", TensorProto.FLOAT), ("float16", TensorProto.FLOAT16),
    ("float64", TensorProto.DOUBLE), ("int64", TensorProto.INT64), ("int32", TensorProto.INT32),
)}  # fmt: skip

Inputs = Mapping[str, tuple[Sequence[int | str | None], str]]
"""Name -> shape and type."""

PICTURE: Final[Inputs] = {"images": ((1, 3, 640, 640), "float32")}
PICTURE_AND_SIZE: Final[Inputs] = {**PICTURE, "orig_target_sizes": ((1, 2), "int64")}


def constant(path: Path, outputs: Mapping[str, Array], inputs: Inputs = PICTURE) -> Path:
    """A network that gives these arrays, whatever it is shown."""
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(array))
        for name, array in outputs.items()
    ]
    return _saved(path, nodes, outputs, inputs)


def shrinks_when_bright(path: Path, outputs: Mapping[str, Array]) -> Path:
    """Gives these arrays, and empty ones for a picture whose mean is above 0.5."""
    graph = _Graph()
    mean = graph("ReduceMean", "images", keepdims=0)
    dark = graph("Cast", graph("Less", mean, graph.floats(0.5)), to=TensorProto.INT64)
    end = graph("Reshape", dark, graph.ints(1))
    nodes = [
        helper.make_node("Slice", [graph.array(array), graph.ints(0), end, graph.ints(0)], [name])
        for name, array in outputs.items()
    ]
    return _saved(path, [*graph.nodes, *nodes], outputs, PICTURE)


def scaled_boxes(path: Path, labels: Array, corners: Array, scores: Array) -> Path:
    """As RT-DETR and D-FINE are exported: corners (1, K, 4), fractions, times the size given."""
    graph = _Graph()
    size = graph("Cast", "orig_target_sizes", to=TensorProto.FLOAT)
    sides = graph("Reshape", graph("Concat", size, size, axis=1), graph.ints(1, 1, 4))
    boxes = helper.make_node("Mul", [graph.array(corners), sides], ["boxes"])
    nodes = [
        helper.make_node("Constant", [], [name], value=numpy_helper.from_array(value))
        for name, value in (("labels", labels), ("scores", scores))
    ]
    outputs = {"labels": labels, "boxes": corners, "scores": scores}
    return _saved(path, [*graph.nodes, boxes, *nodes], outputs, PICTURE_AND_SIZE)


def says_its_input(path: Path) -> Path:
    """DETR's shapes; the box it says is the input's first pixel (blue or red, green, red or blue).

    Its centre x and y and its width are that pixel's channels over 255, its height is one half.
    """
    graph = _Graph()
    corner = graph("Slice", "images", graph.ints(0, 0), graph.ints(1, 1), graph.ints(2, 3))
    three = graph("Reshape", corner, graph.ints(1, 1, 3))
    half = graph.array(np.full((1, 1, 1), 0.5, np.float32))
    boxes = helper.make_node("Concat", [three, half], ["boxes"], axis=2)
    logits = np.full((1, 1, 80), -9.0, np.float32)
    logits[0, 0, CAR] = 9.0
    said = helper.make_node("Constant", [], ["logits"], value=numpy_helper.from_array(logits))
    outputs = {"logits": logits, "boxes": np.zeros((1, 1, 4), np.float32)}
    return _saved(path, [*graph.nodes, boxes, said], outputs, PICTURE)


def looping(path: Path, turns: int) -> Path:
    """A network that multiplies large matrices ``turns`` times, and then finds nothing."""
    array = np.full((512, 512), 1 / 512, np.float32)
    nodes = [
        helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
        helper.make_node("Constant", [], ["factor"], value=numpy_helper.from_array(array)),
        helper.make_node("Mul", ["factor", "mean"], ["product0"]),
    ]
    nodes += [
        helper.make_node("MatMul", [f"product{turn}", "factor"], [f"product{turn + 1}"])
        for turn in range(turns)
    ]
    empty = yolox_rows((640, 640), 3)
    nodes += [
        helper.make_node("ReduceMax", [f"product{turns}"], ["most"], keepdims=0),
        helper.make_node(
            "Constant", [], ["zero"], value=numpy_helper.from_array(np.array(0.0, np.float32))
        ),
        helper.make_node("Mul", ["most", "zero"], ["none"]),
        helper.make_node("Constant", [], ["rows"], value=numpy_helper.from_array(empty)),
        helper.make_node("Add", ["rows", "none"], ["output"]),
    ]
    return _saved(path, nodes, {"output": empty}, PICTURE)


def yolox_rows(size: tuple[int, int], classes: int) -> npt.NDArray[np.float32]:
    """All cells of strides 8, 16 and 32 over (height, width), with nothing in them."""
    count = sum((size[0] // stride) * (size[1] // stride) for stride in (8, 16, 32))
    return np.zeros((1, count, 5 + classes), np.float32)


def sees_hues(path: Path, *, decoded: bool = False, bright_fails: bool = False) -> Path:
    """Finds what is painted in one of ``HUES``, as YOLOX would say it.

    Thresholds give a mask per hue; in every cell of 8 pixels the mask's farthest edges are pooled
    and carried from cell to cell as long as the hue goes on, so that each cell of a body knows
    the whole body's box. Cells of the larger strides stay empty. With ``bright_fails`` it breaks
    on a picture whose mean is above 120.
    """
    graph = _Graph()
    high, wide = SIZE
    rows, columns = high // _CELL, wide // _CELL
    blue, green, red = (
        graph("Slice", "images", graph.ints(at), graph.ints(at + 1), graph.ints(1))
        for at in range(3)
    )
    signs = [
        graph("Sub", green, graph("Max", red, blue)),
        graph("Sub", graph("Min", blue, green), red),
        graph("Sub", blue, graph("Max", red, green)),
    ]
    signs_all = graph("Concat", *signs, axis=1)
    mask = graph("Cast", graph("Greater", signs_all, graph.floats(50.0)), to=TensorProto.FLOAT)
    pooled = {"kernel_shape": [_CELL, _CELL], "strides": [_CELL, _CELL]}
    filled = graph("AveragePool", mask, **pooled)
    cell = graph("Cast", graph("Greater", filled, graph.floats(0.03)), to=TensorProto.FLOAT)
    x, y = (axis[None, None].astype(np.float32) for axis in np.meshgrid(range(wide), range(high)))
    edges = graph(
        "Concat",
        *(
            graph("MaxPool", graph("Mul", mask, graph.array(place)), **pooled)
            for place in (x + 1, wide - x, y + 1, high - y)
        ),
        axis=1,
    )
    cells = graph("Concat", *[cell] * 4, axis=1)
    for _ in range(_SPREADS):
        near = graph("MaxPool", edges, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
        edges = graph("Mul", near, cells)
    fullest = graph("ReduceMax", filled, axes=[1], keepdims=1)
    wins = graph("Cast", graph("GreaterOrEqual", filled, fullest), to=TensorProto.FLOAT)
    chosen = graph("Mul", wins, cell)
    number = graph("ReduceSum", chosen, graph.ints(1), keepdims=1)
    some = graph("Max", number, graph.floats(1.0))

    def of_winner(first: int) -> str:
        own = graph("Slice", edges, graph.ints(first), graph.ints(first + 3), graph.ints(1))
        total = graph("ReduceSum", graph("Mul", own, chosen), graph.ints(1), keepdims=1)
        return graph("Div", total, some)

    right, bottom = of_winner(0), of_winner(6)
    left = graph("Sub", graph.floats(wide), of_winner(3))
    top = graph("Sub", graph.floats(high), of_winner(9))
    width = graph("Max", graph("Sub", right, left), graph.floats(1.0))
    height = graph("Max", graph("Sub", bottom, top), graph.floats(1.0))
    large = graph("Greater", graph("Mul", width, height), graph.floats(100.0))
    sure = graph("Mul", graph("Cast", large, to=TensorProto.FLOAT), graph.floats(0.9))
    there = graph("Mul", graph("Min", number, graph.floats(1.0)), sure)
    centre = [
        graph("Mul", graph("Add", a, b), graph.floats(0.5))
        for a, b in ((left, right), (top, bottom))
    ]
    extent = [width, height]
    if not decoded:
        grid = [g[None, None].astype(np.float32) for g in np.meshgrid(range(columns), range(rows))]
        scale = graph.floats(1 / _CELL)
        any_there = graph("Min", number, graph.floats(1.0))
        centre = [
            graph("Mul", any_there, graph("Sub", graph("Mul", one, scale), graph.array(at)))
            for one, at in zip(centre, grid, strict=True)
        ]
        extent = [graph("Log", graph("Mul", one, scale)) for one in extent]
    none = graph("Mul", there, graph.floats(0.0))
    car = graph("Add", none, graph.floats(1.0))
    values = graph("Concat", *centre, *extent, there, none, none, car, axis=1)
    flat = graph("Reshape", values, graph.ints(1, 8, rows * columns))
    found = graph("Transpose", flat, perm=[0, 2, 1])
    rest = yolox_rows(SIZE, 3)[:, rows * columns :]
    if decoded:  # as a real export's: their centres are where the cells are
        rest[..., :2] = np.array([wide, high], np.float32) / 2
    if bright_fails:
        mean = graph("ReduceMean", "images", keepdims=0)
        bright = graph("Cast", graph("Greater", mean, graph.floats(120.0)), to=TensorProto.INT64)
        one = graph.array(np.zeros(1, np.float32))
        beyond = graph("Gather", one, graph("Mul", bright, graph.ints(9)), axis=0)
        found = graph("Add", found, beyond)
    graph.nodes.append(helper.make_node("Concat", [found, graph.array(rest)], ["output"], axis=1))
    outputs = {"output": yolox_rows(SIZE, 3)}
    return _saved(path, graph.nodes, outputs, {"images": ((1, 3, *SIZE), "float32")})


class _Graph:
    """Nodes as they are written, each with one output."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []

    def __call__(self, operator: str, *inputs: str, **attributes: Any) -> str:
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def array(self, value: Array) -> str:
        return self("Constant", value=numpy_helper.from_array(np.ascontiguousarray(value)))

    def ints(self, *values: int) -> str:
        return self.array(np.array(values, np.int64))

    def floats(self, value: float) -> str:
        return self.array(np.array(value, np.float32))


def _saved(path: Path, nodes: list[Any], outputs: Mapping[str, Array], inputs: Inputs) -> Path:
    given = [
        helper.make_tensor_value_info(name, _TYPES[np.dtype(kind)], shape)
        for name, (shape, kind) in inputs.items()
    ]
    results = [
        helper.make_tensor_value_info(name, _TYPES[array.dtype], array.shape)
        for name, array in outputs.items()
    ]
    graph = helper.make_graph(nodes, "generated", given, results)
    model: ModelProto = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8
    )
    save(model, str(path))
    return path

"""The shape of streams.yaml: frozen pydantic models, unknown keys are errors.

Only the shape and its defaults live here; reading the file, ``${NAME}`` and error messages with
line numbers are in ``monitor.config.loader``. Every field carries its description, because
``causeway schema config`` and docs/configuration.md are made from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr

from monitor.config import checks
from monitor.config.asking import Query
from monitor.config.section import Fraction, Identifier, Lang, Mode, Section

Point = tuple[Fraction, Fraction]
Polygon = Annotated[tuple[Point, ...], AfterValidator(checks.polygon)]
CameraAddress = Annotated[SecretStr, AfterValidator(checks.camera_address)]


class Site(Section):
    """The intersection, and what is said about it."""

    id: Identifier = Field(description="Goes into every MQTT topic.")
    name: str = Field(default="", description="For people; the id is shown where it is empty.")
    lang: Lang = Field(default="en", description="Language of alerts and the dashboard.")
    timezone: Annotated[str, AfterValidator(checks.timezone)] = Field(
        default="UTC", description="IANA name; only for showing times."
    )
    jurisdiction: Literal["cn", "vienna", "uk", "de", "generic"] = Field(
        default="generic",
        description="Which pack of the rule book may be cited. `vienna` only in a country that is "
        "party to the Convention on Road Traffic: not in China or the United States.",
    )
    traffic_side: Literal["right", "left"] | None = Field(
        default=None,
        description="The side of the road that traffic keeps to. Not set: the jurisdiction's, "
        "left for `uk`, right for the others.",
    )

    @property
    def keeps(self) -> Literal["right", "left"]:
        """The side that traffic keeps to."""
        return self.traffic_side or ("left" if self.jurisdiction == "uk" else "right")


class Location(Section):
    """Where a camera stands."""

    latitude: float = Field(ge=-90, le=90, description="Degrees, WGS 84.")
    longitude: float = Field(ge=-180, le=180, description="Degrees, WGS 84.")


class GroundPoint(Section):
    """One calibration point: the same spot in the picture and on the road."""

    image: Point = Field(description="Fractions of width and height, origin at the top left.")
    ground_m: tuple[float, float] = Field(description="Metres on the road plane, any origin.")


def _checked(points: tuple[GroundPoint, ...]) -> tuple[GroundPoint, ...]:
    checks.calibration([p.image for p in points], [p.ground_m for p in points])
    return points


Calibration = Annotated[tuple[GroundPoint, ...], AfterValidator(_checked)]


class TriggerSettings(Section):
    """When a camera calls something an incident."""

    enabled: bool = Field(default=True, description="Off: the camera is shown, not watched.")
    candidates_per_day: float = Field(
        default=1000.0,
        ge=1,
        le=5000,
        description="About how many moments a day get a second look; few of them become alerts.",
    )
    merge_s: float = Field(
        default=30.0, ge=1, le=600, description="Triggers this close belong to one incident."
    )


class DetectorSettings(Section):
    """A detector network of your own; without one everything works as it does."""

    model: str | None = Field(
        default=None, min_length=1, description="An ONNX file, below this file's folder; none: off."
    )
    kind: Literal["auto", "yolox", "yolox_decoded", "rtdetr", "detr", "detr_softmax"] = Field(
        default="auto", description="What its outputs mean; `auto` goes by their shapes."
    )
    pixels: Literal["auto", "bgr_255", "rgb_255", "rgb_1", "rgb_imagenet"] = Field(
        default="auto", description="Order and range of its input; `auto` goes by the kind."
    )
    provider: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where it runs; `auto` takes CUDA where onnxruntime has it."
    )
    threads: int = Field(
        default=1, ge=1, le=64, description="Of the CPU, for one picture; cameras run side by side."
    )
    min_score: float = Field(
        default=0.4, ge=0.05, le=0.95, description="From which a body begins to be followed."
    )
    vehicles: tuple[int, ...] = Field(
        default=(1, 2, 3, 5, 7), description="Its classes that are vehicles; of the 80 of COCO."
    )
    persons: tuple[int, ...] = Field(default=(0,), description="Its classes that are people.")
    every: int = Field(
        default=1, ge=1, le=10, description="It sees every N-th picture that is looked at."
    )
    budget_ms: float = Field(
        default=100.0, ge=1, le=10_000, description="Per picture; a slower model is put to rest."
    )


class Camera(Section):
    """One camera."""

    id: Identifier = Field(description="Unique; goes into topics, keys and file names.")
    name: str = Field(default="", description="For people; the id is shown where it is empty.")
    url: CameraAddress = Field(
        description="rtsp:// or rtsps:// address; put the password in ${NAME}."
    )
    substream_url: CameraAddress | None = Field(
        default=None, description="A smaller stream of the same picture, used for watching."
    )
    location: Location | None = Field(default=None, description="Where it stands.")
    viewing_direction_deg: float | None = Field(
        default=None, ge=0, lt=360, description="Compass direction it looks in; 0 is north."
    )
    masks: tuple[Polygon, ...] = Field(
        default=(), description="Polygons where nothing is looked for: trees, sky, a clock."
    )
    calibration: Calibration = Field(
        default=(), description="None, or at least four points that give metres."
    )
    trigger: TriggerSettings = Field(default=TriggerSettings(), description="When it fires.")
    detector: DetectorSettings | None = Field(
        default=None, description="In place of the section `detector`, as a whole."
    )
    mode: Mode | None = Field(
        default=None, description="Overrides query.mode and query.thinking_from."
    )


class Ingest(Section):
    """Reading the cameras."""

    keep_s: float = Field(default=120.0, ge=30, le=3600, description="Length of each ring.")
    connect_timeout_s: float = Field(default=5.0, gt=0, le=60, description="To open a camera.")
    read_timeout_s: float = Field(
        default=3.0, gt=0, le=60, description="Without a packet for this long it has stalled."
    )
    backoff_max_s: float = Field(
        default=30.0, ge=1, le=600, description="Longest wait between attempts to reconnect."
    )
    key_frame_timeout_s: float = Field(
        default=30.0, ge=1, le=600, description="Without a key frame for this long: no_key_frame."
    )


class Redis(Section):
    """Where the rings and the work queues are."""

    url: Annotated[SecretStr, AfterValidator(checks.redis_address)] | None = Field(
        default=None,
        description="redis://, rediss:// or unix:// address; none: an embedded server.",
    )


class Mqtt(Section):
    """Where alerts are published."""

    host: str | None = Field(default=None, description="None: an embedded broker.")
    port: int = Field(default=1883, ge=1, le=65535, description="The broker's port.")
    username: str | None = Field(default=None, description="For a broker that asks.")
    password: SecretStr | None = Field(default=None, description="Put it in ${NAME}.")
    tls: bool = Field(default=False, description="TLS with the system's certificates.")
    topic_prefix: str = Field(
        default="causeway", pattern=r"^[^#+/\s]+$", description="First level of every topic."
    )
    embedded_port: int = Field(
        default=18830, ge=1, le=65535, description="Of the embedded broker, on 127.0.0.1."
    )


class Archive(Section):
    """What is kept of past alerts."""

    url: Annotated[SecretStr, AfterValidator(checks.archive_address)] | None = Field(
        default=None,
        description="postgresql:// or sqlite:/// address; none: an SQLite file in data_dir.",
    )
    keep_days: float = Field(
        default=90.0, ge=1, le=3650, description="Older alerts are forgotten, with their clips."
    )


class Dashboard(Section):
    """The operator's web app."""

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8080, ge=1, le=65535, description="Port to listen on.")


class Config(Section):
    """streams.yaml."""

    site: Site
    cameras: tuple[Camera, ...] = Field(min_length=1)
    data_dir: Path = Field(
        default=Path("var"), description="Clips, the SQLite archive, embedded servers' files."
    )
    ingest: Ingest = Field(default=Ingest(), description="Reading the cameras.")
    redis: Redis = Field(default=Redis(), description="Rings and queues.")
    mqtt: Mqtt = Field(default=Mqtt(), description="The broker.")
    detector: DetectorSettings = Field(
        default=DetectorSettings(), description="A detector network of your own; off."
    )
    query: Query = Field(default=Query(), description="The model.")
    archive: Archive = Field(default=Archive(), description="The database.")
    dashboard: Dashboard = Field(default=Dashboard(), description="The web app.")

    def detector_of(self, camera: Camera) -> DetectorSettings:
        """A camera's own section, else the common one."""
        return self.detector if camera.detector is None else camera.detector

    def camera(self, camera_id: str) -> Camera:
        """The camera of that id; ``KeyError`` where there is none."""
        for camera in self.cameras:
            if camera.id == camera_id:
                return camera
        raise KeyError(camera_id)

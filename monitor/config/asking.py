"""The part of streams.yaml about asking a model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from monitor.config.section import Mode, Section


class ModelEndpoint(Section):
    """One of several servers of models."""

    url: str = Field(
        pattern=r"^https?://", description="vLLM's OpenAI-compatible address, ending in /v1."
    )
    model: str | None = Field(
        default=None, description="As the server names it; none: query.model."
    )
    api_key: SecretStr | None = Field(default=None, description="Put it in ${NAME}.")
    modes: tuple[Mode, ...] = Field(
        default=(), description="What it is asked in: `standard`, `thinking`; empty: both."
    )
    max_running: int = Field(default=8, ge=1, le=256, description="Queries at once, per worker.")


class Query(Section):
    """Asking the model why."""

    endpoint: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="vLLM's OpenAI-compatible address, ending in /v1; none: evidence only.",
    )
    model: str = Field(default="Qwen/Qwen3-VL-2B-Instruct", description="As the server names it.")
    api_key: SecretStr | None = Field(default=None, description="Put it in ${NAME}.")
    endpoints: tuple[ModelEndpoint, ...] = Field(
        default=(),
        max_length=16,
        description="Several servers, asked by health and load; `endpoint` is one more of them.",
    )
    mode: Mode = Field(default="standard", description="Thinking keeps the model's steps.")
    thinking_from: Literal["low", "medium", "high", "critical"] | None = Field(
        default=None,
        description="Incidents this severe or more are asked in thinking mode; none: see `mode`.",
    )
    context_length: int = Field(
        default=32_768,
        ge=4096,
        le=262_144,
        description="Tokens of a query at most; less where the server's max_model_len is less.",
    )
    pre_roll_s: float = Field(default=20.0, ge=2, le=180, description="Video before the peak.")
    post_roll_s: float = Field(default=8.0, ge=1, le=60, description="Video after the peak.")
    max_frames: int | None = Field(
        default=None,
        ge=2,
        le=512,
        multiple_of=2,
        description="Frames per query, in pairs; none: one per 512 tokens of context.",
    )
    frame_width: int = Field(
        default=640, ge=64, le=1920, multiple_of=32, description="Pixels; height follows."
    )
    close_ups: int = Field(
        default=4, ge=0, le=8, description="Enlarged parts at the incident, if there is room."
    )
    deadline_s: float = Field(
        default=60.0, ge=1, le=600, description="Past it the alert is explained from evidence."
    )
    max_output_tokens: int | None = Field(
        default=None,
        ge=256,
        le=32_768,
        description="For the answer; none: a sixteenth of the context, 1024 to 8192.",
    )
    max_thinking_tokens: int | None = Field(
        default=None,
        ge=256,
        le=131_072,
        description="For the thought; none: an eighth of the context, 1024 to 32768.",
    )
    patrol_s: float | None = Field(
        default=None,
        ge=5,
        le=86_400,
        description="Seconds between looks at a camera, if a model has time to spare; none: off.",
    )
    patrol_frames: int = Field(
        default=12, ge=8, le=16, multiple_of=2, description="Frames of such a look."
    )

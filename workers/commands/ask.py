"""``causeway ask``: a question about a file or a camera, answered in the terminal or as JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from pydantic import SecretStr, ValidationError
from rich.console import Console

from monitor.buffer.connection import connect
from monitor.clock import SystemClock
from monitor.config.asking import Query
from monitor.config.endpoints import model_endpoints, redis_url
from monitor.config.loader import load
from monitor.config.models import Camera, Config, Site
from monitor.config.section import Mode
from monitor.errors import MediaError, QueryError
from monitor.query.client import VisionClient
from monitor.query.operator_question import QUESTION_MAX, checked
from monitor.query.prompting import load_prompt
from workers import exits
from workers.asking.camera import CameraSource
from workers.asking.engine import TRAFFIC, Asked, Profile, answer, as_json
from workers.asking.file import FileSource, Part
from workers.asking.patience import Patience
from workers.asking.seen import LONGEST_MS, Source
from workers.asking.show import TerminalScreen, report
from workers.asking.span import seconds

API_KEY: Final = "CAUSEWAY_API_KEY"
"""The key of ``--endpoint``: not an option, because a process's options are public."""

_MODELS_S: Final = 10.0
_STDIN_BYTES: Final = 4 * QUESTION_MAX + 1


@dataclass(frozen=True, slots=True)
class AskOptions:
    """The command line, as given."""

    target: str
    question: str | None
    last: str | None
    at: str | None
    mode: str | None
    context: int | None
    lang: str | None
    profile: str
    frames: int | None
    blind: bool
    endpoint: str | None
    model: str | None
    deadline_s: float
    config: Path
    json_out: bool


class Usage(Exception):
    """The command line is wrong; the message says what to write."""


def ask(options: AskOptions) -> int:
    """Ask, show, and say by the exit status whether there is an answer."""
    try:
        config = configured(options)
        asked = _asked(options, config)
        return asyncio.run(_ask(options, asked, config))
    except (Usage, QueryError) as error:
        print(error, file=sys.stderr)
        return exits.USAGE if isinstance(error, Usage) or error.reason == "question" else 1


async def _ask(options: AskOptions, asked: Asked, config: Config) -> int:
    # FFmpeg's own words on a broken file say less than our one sentence.
    logging.getLogger("libav").setLevel(logging.CRITICAL)
    async with AsyncExitStack() as resources:
        source = _source(options, asked, config, resources)
        clock = SystemClock()
        patience = Patience(asked.deadline_s, clock)
        client = await client_of(config, asked.mode, options, patience, resources)
        screen = TerminalScreen(Console(stderr=True))
        with screen.shown():
            result = await answer(
                source, asked, config, client, patience=patience, screen=screen, clock=clock
            )
    if options.json_out:
        print(json.dumps(as_json(result), ensure_ascii=False, indent=2))
    else:
        report(result, Console(highlight=False))
    return exits.FAILED if result.answer is None else exits.OK


def _asked(options: AskOptions, config: Config) -> Asked:
    profile = cast(Profile, options.profile)
    question = options.question
    if question == "-":
        question = sys.stdin.buffer.read(_STDIN_BYTES).decode("utf-8", "replace")
    if question is not None:
        question = checked(question)
    prompt = load_prompt(profile, config.site.lang)
    if question is not None and not prompt.takes_question:
        raise Usage(f"the profile {profile} asks its own question; for yours, --profile why")
    if question is None and prompt.takes_question and prompt.question is None:
        raise Usage("say what you want to know: causeway ask FILE|CAMERA 'why did ... ?'")
    if not 1 <= options.deadline_s <= 3600:
        raise Usage("--deadline-s is from 1 to 3600")
    mode = cast(Mode, options.mode or config.query.mode)
    return Asked(question, profile, mode, options.blind, options.deadline_s)


def _source(options: AskOptions, asked: Asked, config: Config, resources: AsyncExitStack) -> Source:
    last_ms, at_ms = _milliseconds("--last", options.last), _milliseconds("--at", options.at)
    if last_ms is not None and at_ms is not None:
        raise Usage("--last or --at, not both")
    path = Path(options.target)
    cameras = [camera.id for camera in config.cameras if camera.id != _NOBODY]
    if options.target not in cameras or path.is_file():
        if not path.exists() and not os.path.lexists(path):
            known = f"; cameras: {', '.join(cameras)}" if cameras else ""
            raise Usage(f"{options.target} is neither a file nor a camera{known}")
        query = config.query
        part = Part(last_ms, at_ms, round(query.pre_roll_s * 1000), round(query.post_roll_s * 1000))
        return FileSource(path, part, traffic=asked.profile in TRAFFIC)
    if at_ms is not None:
        raise Usage("--at is for files; of a camera, ask about the last moments with --last")
    redis = connect(redis_url(config))
    resources.push_async_callback(redis.aclose)
    try:
        return CameraSource(options.target, last_ms or LONGEST_MS, redis)
    except MediaError as error:
        raise Usage(str(error)) from error


def _milliseconds(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        found = round(seconds(text) * 1000)
    except ValueError as error:
        raise Usage(f"{option}: {error}") from error
    if option == "--last" and found < 1:
        raise Usage("--last: more than 0")
    return found


_NOBODY: Final = "nobody"


def configured(options: AskOptions) -> Config:
    """streams.yaml where there is one; the options over it."""
    if options.config.exists():
        config = load(options.config)
    else:
        camera = Camera(id=_NOBODY, url=SecretStr("rtsp://127.0.0.1/none"))
        config = Config(site=Site(id="ask"), cameras=(camera,))
    query: dict[str, Any] = config.query.model_dump()
    if options.context is not None:
        query["context_length"] = options.context
    if options.frames is not None:
        query["max_frames"] = options.frames
    if options.endpoint is not None:
        query |= {"endpoint": options.endpoint, "endpoints": ()}
        query["api_key"] = os.environ.get(API_KEY)
    try:
        changes: dict[str, Any] = {"query": Query.model_validate(query)}
    except ValidationError as error:
        first = error.errors()[0]
        names = {"context_length": "--context", "max_frames": "--frames"}
        name = names.get(str(first["loc"][0]), f"--{first['loc'][0]}")
        raise Usage(f"{name}: {first['msg']}, got {first['input']!r}") from error
    if options.lang is not None:
        changes["site"] = config.site.model_copy(update={"lang": options.lang})
    return config.model_copy(update=changes)


async def client_of(
    config: Config, mode: Mode, options: AskOptions, patience: Patience, resources: AsyncExitStack
) -> VisionClient | None:
    """The first configured endpoint that serves the mode, connected; None where there is none."""
    served = model_endpoints(config.query)
    if not served:
        return None
    one = next((each for each in served if mode in (each.modes or (mode,))), served[0])
    key = None if one.api_key is None else one.api_key.get_secret_value()
    model = options.model or one.model
    assert model is not None  # model_endpoints names one
    client = await resources.enter_async_context(VisionClient(one.url, model, api_key=key))
    if options.endpoint is not None and options.model is None:
        async with patience.waiting():  # half of it at most: the question itself may be answered
            await client.use_only_model(min(_MODELS_S, patience.limit_s / 2))
    return client

"""The demo's own subscriber: alerts as any MQTT client would see them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any, Final

import aiomqtt

_RETRY_S: Final = 0.3


async def alerts(host: str, port: int, prefix: str, site: str) -> AsyncIterator[str]:
    """The JSON of every alert of a site, over as many connections as that takes; never ends."""
    topic = f"{prefix}/{site}/alerts/+"
    while True:
        try:
            async with aiomqtt.Client(
                host, port, protocol=aiomqtt.ProtocolVersion.V311, timeout=5
            ) as client:
                await client.subscribe(topic, qos=1)
                async for message in client.messages:
                    # The embedded broker hands a new client retained topics others asked for.
                    if message.topic.matches(topic) and isinstance(message.payload, bytes):
                        yield message.payload.decode()
        except aiomqtt.MqttError:  # the broker is still starting, or starting again
            await asyncio.sleep(_RETRY_S)


def describe(text: str) -> tuple[str, bool]:
    """An alert in a line or two for a person, and whether it is an explained one."""
    alert: dict[str, Any] = json.loads(text)
    explained = alert["stage"] == "explained"
    moment = str(alert["peak"])[11:19]
    if not explained or alert["answer"] is None:
        reason = alert["trigger"]["reason"]
        return f"{moment}  {alert['stage']}: {alert['camera']}: {reason}", explained
    answer = alert["answer"]
    lines = [
        f"{moment}  explained by {alert['explainer']}: {answer['incident_type']}",
        f"          {answer['root_cause']}",
    ]
    lines += [
        f"          {'' if a['t_s'] is None else format(a['t_s'], '.1f') + ' s '}{a['text']}"
        for a in answer["antecedents"]
    ]
    return "\n".join(lines), explained

"""What is found out about a server, and the smallest questions that find it out.

Used by ``server_check`` and ``server_pictures``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

State = Literal["ok", "warn", "bad", "unknown"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the product needs."""

    name: str
    state: State
    text: str
    mend: str = ""


def text_part(text: str) -> dict[str, Any]:
    """Words of a message."""
    return {"type": "text", "text": text}


def body(model: str, content: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A request for one token, unless ``more`` says otherwise."""
    return {
        "model": model,
        "messages": [{"role": "user", "content": content}],
        "temperature": 0.0,
        "max_completion_tokens": 1,
        "chat_template_kwargs": {"enable_thinking": False},
        **more,
    }

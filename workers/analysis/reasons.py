"""Why an alert was explained from measurements alone, as a sentence for the operator."""

from __future__ import annotations

from typing import Final, Literal

Lang = Literal["en", "zh"]

_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "not_configured": ("No model is configured.", "未配置模型。"),
    "ring_gap": (
        "The video was no longer in the buffer: there is no clip, and the model was not asked.",
        "缓冲区中已没有这段视频：没有录像片段，未询问模型。",
    ),
    "no_frames": (
        "No picture of the video could be decoded; the model was not asked.",
        "视频画面无法解码，未询问模型。",
    ),
    "unreachable": ("The model could not be reached.", "无法连接模型。"),
    "timeout": ("The model did not answer in time.", "模型未在时限内作答。"),
    "busy": ("The model's queue was full.", "模型队列已满。"),
    "rejected": ("The model refused the question.", "模型拒绝了该请求。"),
    "server_error": ("The model failed.", "模型出错。"),
    "cut": ("The model's answer was cut off.", "模型的回答被截断。"),
    "malformed": ("The model's answer could not be read.", "无法读取模型的回答。"),
    "schema": ("The model's answer was incomplete.", "模型的回答不完整。"),
    "disabled": ("The model is switched off.", "模型已停用。"),
    "no_incident": (
        "The model saw no incident; what was measured says otherwise, with half the confidence.",
        "模型认为没有事故；测量结果与之不符，置信度减半。",
    ),
    "second_look": (
        "A second look at the pictures found no incident; the model was not asked.",
        "复核画面后未发现事故，未询问模型。",
    ),
    "failed": (
        "The analysis failed several times: there is no clip, and the model was not asked.",
        "分析多次失败：没有录像片段，未询问模型。",
    ),
}


def sentence(reason: str, lang: Lang) -> str:
    """The sentence for a ``QueryError.reason`` or one of our own."""
    english, chinese = _SENTENCES[reason]
    return chinese if lang == "zh" else english

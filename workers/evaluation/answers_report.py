"""Answers for people: tables, and a report in Markdown, JSON and HTML with pictures.

A report holds frames of the clips: it is never written into a source tree.
"""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from workers.evaluation.answers_figures import VARIANTS
from workers.evaluation.answers_pictures import Row, pictures, rows
from workers.evaluation.answers_score import PARTS, Score
from workers.evaluation.report import refuse_source_tree

_TITLES: Final = {
    "evidence": "from evidence",
    "model": "model",
    "blind": "model, blind",
}
_RATES: Final = {
    "answered": "answered",
    "within_1s": "antecedents within 1 s, of answers",
    "within_1s_of_all": "antecedents within 1 s, of all events",
    "all_within_1s": "all of them within 1 s, of answers",
    "kind": "antecedents' kind fits",
    "event_within_0.3s": "event's time within 0.3 s",
    "type": "type fits the label",
    "type_exact": "type exact",
    "complete": "chain and antecedents complete",
    "parts_said": f"of {PARTS} parts said",
    "supported": "claims supported",
    "contradicted": "claims contradicted",
    "unverified": "claims unverified",
    "root_supported": "root cause supported",
    "root_contradicted": "root cause contradicted",
    "json_valid": "JSON valid as it came",
    "rules_valid": "cited rules were given",
    "measurements_valid": "cited measurements exist",
}
_STYLE: Final = """
body{font:14px/1.45 system-ui,sans-serif;margin:1.5rem auto;max-width:62rem;padding:0 1rem;
background:#fff;color:#111} h2{margin:2rem 0 .3rem;font-size:1.05rem} img{max-width:100%}
table{border-collapse:collapse} td,th{padding:.15rem .6rem;border-bottom:1px solid #ddd;
text-align:left} .supported{color:#0a6b2d}.contradicted{color:#b00020}.unverified{color:#8a5a00}
@media (prefers-color-scheme:dark){body{background:#111;color:#eee} td,th{border-color:#333}
.supported{color:#6fdc8c}.contradicted{color:#ff8389}.unverified{color:#f1c21b}}
"""


def show(result: dict[str, Any], console: Console) -> None:
    """Figures of each set, then a line for each answer."""
    for title, lines in _tables(result):
        table = Table(*lines[0], title=title, title_justify="left")
        for line in lines[1:]:
            table.add_row(*line)
        console.print(table)
    table = Table("clip", "event", "answer", "within 1 s", "type", "root cause", "claims borne out",
                  title="each answer", title_justify="left")  # fmt: skip
    for one in result["cases"]:
        score, verdicts = one["score"], [v["verdict"] for v in one["verification"]]
        event = f"{one['event']['type']} at {one['event']['start_s']:.2f} s"
        table.add_row(
            one["file"], event, _TITLES[one["variant"]],
            f"{score['within_1s']} of {score['of']}" if one["answer"] else f"none: {one['reason']}",
            "+" if score["type"] else "-", verdicts[0] if verdicts else "",
            f"{verdicts.count('supported')} of {len(verdicts)}" if verdicts else "",
        )  # fmt: skip
    console.print(table)


def write_folder(folder: Path, scores: Sequence[Score], result: dict[str, Any]) -> None:
    """``report.md``, ``report.json`` and ``pictures/`` in a folder outside any source tree."""
    refuse_source_tree(folder / "report.md" if folder.is_dir() else folder, "--report")
    shown = folder / "pictures"
    shown.mkdir(parents=True, exist_ok=True)
    parts = ["# Answers against labels", "", *_markdown_tables(result)]
    for number, (score, picture) in enumerate(_with_pictures(scores), 1):
        parts += ["", f"## {_headline(score)}", "", *_lines(score), ""]
        parts += ["| stated | labelled | error |", "|---|---|---|"]
        parts += [f"| {a} | {b} | {c} |" for a, b, c in map(_cells, rows(score))]
        if picture is not None:
            name = f"{number:03d}-{score.given.variant}.jpg"
            (shown / name).write_bytes(picture)
            parts += ["", f"![stated times left, labelled times right](pictures/{name})"]
    (folder / "report.md").write_text("\n".join(parts) + "\n", encoding="utf-8")
    (folder / "report.json").write_text(
        json.dumps(result, ensure_ascii=False, allow_nan=False, indent=1), encoding="utf-8"
    )


def write_html(path: Path, scores: Sequence[Score], result: dict[str, Any]) -> None:
    """The same as one page, pictures inside."""
    refuse_source_tree(path)
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>",
        "<meta name=viewport content='width=device-width'><title>Causeway answers</title>",
        f"<style>{_STYLE}</style><h1>Answers against labels</h1>",
    ]
    for title, lines in _tables(result):
        head = "".join(f"<th>{html.escape(cell)}" for cell in lines[0])
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in line) for line in lines[1:]
        )
        parts.append(f"<h2>{html.escape(title)}</h2><table><tr>{head}{body}</table>")
    for score, picture in _with_pictures(scores):
        parts.append(f"<h2>{html.escape(_headline(score))}</h2>")
        parts += [f"<p>{html.escape(line.removeprefix('- '))}" for line in _lines(score) if line]
        parts.append("<table><tr><th>stated<th>labelled<th>error")
        for cells in map(_cells, rows(score)):
            parts.append("<tr>" + "".join(f"<td>{html.escape(cell)}" for cell in cells))
        parts.append("</table>")
        if picture is not None:
            data = base64.b64encode(picture).decode()
            image = f"<img alt='stated left, labelled right' src='data:image/jpeg;base64,{data}'>"
            parts.append(f"<p>{image}")
    path.write_text("\n".join(parts), encoding="utf-8")


def _with_pictures(scores: Sequence[Score]) -> list[tuple[Score, bytes | None]]:
    """In the order of the scores; each clip is decoded once."""
    files = list(dict.fromkeys(one.given.case.entry.file for one in scores))
    made = []
    for file in files:
        of_clip = [one for one in scores if one.given.case.entry.file == file]
        drawn = pictures(of_clip[0].given.case.entry, of_clip)
        made += list(zip(of_clip, drawn, strict=True))
    return made


def _tables(result: dict[str, Any]) -> list[tuple[str, list[list[str]]]]:
    found = []
    for origin in ("real", "rendered"):
        sets = result[origin]
        if sets is None:
            continue
        variants = [name for name in VARIANTS if name in sets]
        first = sets[variants[0]]
        title = (
            f"{origin} clips: {first['events']} events, "
            f"{first['antecedents_labelled']} antecedents labelled"
        )
        lines = [["", *(_TITLES[name] for name in variants)]]
        errors = [
            _value(sets[v]["time_error_s"], sets[v]["time_error_s_interval"], " s")
            for v in variants
        ]
        lines.append(["antecedents' time error, mean", *errors])
        for name, words in _RATES.items():
            lines.append([words, *(_rate(sets[variant], name) for variant in variants)])
        reasons = [
            ", ".join(f"{word} {count}" for word, count in sets[v]["reasons"].items()) or "-"
            for v in variants
        ]
        lines.append(["without an answer", *reasons])
        found.append((title, lines))
    return found


def _markdown_tables(result: dict[str, Any]) -> list[str]:
    parts = []
    for title, lines in _tables(result):
        parts += [
            f"**{title}**",
            "",
            "| " + " | ".join(lines[0]) + " |",
            "|---" * len(lines[0]) + "|",
        ]
        parts += ["| " + " | ".join(line) + " |" for line in lines[1:]]
        parts.append("")
    return parts


def _rate(figures: dict[str, Any], name: str) -> str:
    if not figures[f"{name}_of"]:
        return "-"
    return f"{_value(figures[name], figures[f'{name}_interval'])} of {figures[f'{name}_of']}"


def _value(value: float | None, interval: tuple[float, float] | None, unit: str = "") -> str:
    if value is None:
        return "-"
    bounds = "" if interval is None else f" ({interval[0]:.2f} .. {interval[1]:.2f})"
    return f"{value:.2f}{unit}{bounds}"


def _headline(score: Score) -> str:
    given, label = score.given, score.given.case.label
    return (
        f"{given.case.entry.file}: {label.type} at {label.start_s:.2f} s, {_TITLES[given.variant]}"
    )


def _lines(score: Score) -> list[str]:
    """What it said, and what was measured of that."""
    given, answer = score.given, score.given.answer
    lines = [f"- labelled: {_cell(given.case.label.description) or given.case.label.type}"]
    if answer is None:
        return [*lines, f"- no answer: {given.reason}"]
    said = [one.verdict.value for one in given.verification]
    lines.append(f"- {answer.incident_type.value}: {_cell(answer.root_cause)} [{said[0]}]")
    lines += [
        f"- {_cell(one.actor)}: {_cell(one.text)} [{verdict}]"
        for one, verdict in zip(answer.antecedents, said[1:], strict=True)
    ]
    chain = answer.chain
    layers = (chain.environment, chain.direct_trigger, chain.systemic_weakness)
    return lines + [f"- {_cell(layer)}" for layer in layers]


def _cells(row: Row) -> tuple[str, str, str]:
    stated = "-" if not row.stated else "not seen"
    if row.stated_s is not None:
        stated = f"{row.stated_s:.2f} s, {row.stated}"
    true = "-" if row.true_s is None else f"{row.true_s:.2f} s, {_cell(row.true)}"
    return stated, true, "-" if row.error_s is None else f"{row.error_s:+.2f} s"


def _cell(text: str) -> str:
    """One line that cannot end a table's cell or begin a tag: a model may write anything."""
    flat = " ".join(text.split()).replace("|", "/")
    return flat.replace("<", "‹").replace(">", "›")

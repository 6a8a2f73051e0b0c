"""The parts of the incident page, each built from an alert into the caller's slot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from dashboards.pages.html import box, icon, text
from dashboards.pages.player import IncidentPlayer
from dashboards.pages.wording import LocalTime, measured, media_url, typeset, who, window_time
from dashboards.strings import Words
from monitor.domain import Alert, Answer, Claim, Explainer, Stage, Verdict, Verification
from monitor.query.rulebook import RuleBook

_VERDICT_ICON: Final = {
    Verdict.SUPPORTED: "check_circle",
    Verdict.CONTRADICTED: "cancel",
    Verdict.UNVERIFIED: "help_outline",
}
_CLAIMS: Final[tuple[Claim, ...]] = ("antecedent_1", "antecedent_2", "antecedent_3")


def root_cause(alert: Alert, player: IncidentPlayer, words: Words) -> None:
    """Why, in one sentence, who says so, and whether measuring agrees."""
    dismissed = alert.stage is Stage.DISMISSED
    title = words("incident.dismissed" if dismissed else "incident.root_cause")
    with box("section", "cw-cause", aria_label=title):
        text(title, "cw-label", "h2")
        if alert.answer is None:
            text(typeset(alert.trigger.reason), "cw-cause__text", "p")
            if alert.stage is Stage.PROVISIONAL:
                with box(classes="cw-card__pending", role="status"):
                    box("span", "cw-spinner")
                    text(words("incident.explaining"))
            return
        text(typeset(alert.answer.root_cause), "cw-cause__text", "p")
        checked = _verification(alert, "root_cause")
        if checked is not None:
            _verdict(checked, alert, player, words)
        _explained_by(alert, alert.answer, words)


def antecedents(alert: Alert, answer: Answer, player: IncidentPlayer, words: Words) -> None:
    """The three events that led to it; each one seeks the clip."""
    with box("section", "cw-panel", aria_label=words("incident.antecedents")):
        with box(classes="cw-panel__head"):
            text(words("incident.antecedents"), "cw-panel__title", "h2")
            text(words("incident.antecedents_hint"), "cw-panel__hint")
        with box("ol", "cw-antecedents"):
            for number, (claim, one) in enumerate(
                zip(_CLAIMS, answer.antecedents, strict=True), start=1
            ):
                with box("li", "cw-antecedent", data_kind=one.kind):
                    seen = one.t_s is not None
                    with box("button", "cw-antecedent__go", type="button") as go:
                        text(str(number), "cw-antecedent__n")
                        with box("span", "cw-antecedent__body"):
                            with box("span", "cw-antecedent__top"):
                                text(words(f"kind.{one.kind}"), "cw-antecedent__kind")
                                text(one.actor, "cw-antecedent__actor")
                                text(
                                    window_time(one.t_s)
                                    if one.t_s is not None
                                    else words("incident.no_time"),
                                    "cw-antecedent__time",
                                )
                            text(typeset(one.text), "cw-antecedent__text")
                    go.props["data-antecedent"] = claim
                    if seen:
                        go.props["aria-pressed"] = "false"
                        go.on("click", js_handler=player.js_pick(claim))
                    else:
                        go.props["disabled"] = True
                    checked = _verification(alert, claim)
                    if checked is not None:
                        _verdict(checked, alert, player, words)


def causal_chain(answer: Answer, words: Words) -> None:
    """The three layers, from what was always there to what set it off."""
    layers = {
        "environment": answer.chain.environment,
        "direct_trigger": answer.chain.direct_trigger,
        "systemic_weakness": answer.chain.systemic_weakness,
    }
    icons = {"environment": "public", "direct_trigger": "bolt", "systemic_weakness": "foundation"}
    with box("section", "cw-panel", aria_label=words("incident.chain")):
        text(words("incident.chain"), "cw-panel__title", "h2")
        with box("ol", "cw-chain"):
            for name, sentence in layers.items():
                with box("li", "cw-chain__layer", data_layer=name):
                    with box("span", "cw-chain__icon"):
                        icon(icons[name])
                    with box(classes="cw-chain__body"):
                        text(words(f"incident.chain.{name}"), "cw-label", "h3")
                        text(typeset(sentence), "cw-chain__text", "p")


def cited_rules(answer: Answer, book: RuleBook, words: Words) -> None:
    """The rules the answer cites, as the rule book puts them."""
    if not answer.rules:
        return
    with box("section", "cw-panel", aria_label=words("incident.rules")):
        text(words("incident.rules"), "cw-panel__title", "h2")
        with box("ul", "cw-rules"):
            for rule_id in answer.rules:
                rule = book.rule(rule_id)
                with box("li", "cw-rule"):
                    text(rule_id if rule is None else rule.article, "cw-rule__article")
                    if rule is not None:
                        text(rule.zh if words.lang == "zh" else rule.en, "cw-rule__text", "p")


def thinking(answer: Answer, words: Words) -> None:
    """The model's steps, folded away: they are not the answer."""
    if not answer.thinking:
        return
    with box("details", "cw-panel cw-details"):
        text(words("incident.thinking"), "cw-panel__title", "summary")
        with box("ol", "cw-thinking"):
            for step in answer.thinking:
                text(step, "", "li")


def key_frames(alert: Alert, player: IncidentPlayer, words: Words) -> None:
    """The frames that were looked at; each one seeks the clip."""
    media = alert.media
    if media is None or not media.frames:
        return
    times: Sequence[float | None] = media.frame_times_s or (None,) * len(media.frames)
    with box("section", "cw-panel", aria_label=words("incident.frames")):
        text(words("incident.frames"), "cw-panel__title", "h2")
        with box(classes="cw-frames"):
            for path, t_s in zip(media.frames, times, strict=False):
                label = words("incident.frames") if t_s is None else window_time(t_s)
                with box("button", "cw-frame", type="button", aria_label=label) as frame:
                    box("img", src=media_url(path), alt="", loading="lazy")
                    if t_s is not None:
                        text(window_time(t_s), "cw-frame__time")
                        frame.on("click", js_handler=player.js_seek(t_s))


def evidence_table(alert: Alert, player: IncidentPlayer, words: Words) -> None:
    """Everything that was measured, in order of time."""
    with box("section", "cw-panel", aria_label=words("incident.evidence")):
        text(words("incident.evidence"), "cw-panel__title", "h2")
        if not alert.evidence:
            text(words("incident.evidence_empty"), "cw-panel__empty", "p")
            return
        with box("table", "cw-table"):
            with box("thead"), box("tr"):
                for column in ("time", "kind", "who", "value", "strength"):
                    text(words(f"table.{column}"), "", "th", scope="col")
            with box("tbody"):
                for one in sorted(alert.evidence, key=lambda each: each.t_s):
                    with box("tr"):
                        with box("td"):
                            label = window_time(one.t_s)
                            at = text(label, "cw-time", "button", type="button")
                            at.on("click", js_handler=player.js_seek(one.t_s))
                            if one.time_uncertainty_s:
                                text(f"± {one.time_uncertainty_s:.1f}", "cw-spread")
                        text(words(f"kind.{one.kind.value}"), "", "td")
                        text(who(one, words), "", "td")
                        text(measured(one), "cw-mono", "td")
                        with box("td"), box("span", "cw-bar", title=f"{one.strength:.0%}") as bar:
                            box("span", "cw-bar__fill").style(f"width:{one.strength:.0%}")
                            bar.props["aria-label"] = f"{one.strength:.0%}"


def revision_history(
    revisions: Sequence[Alert], shown: Alert, times: LocalTime, words: Words
) -> None:
    """How the alert came to be what it is."""
    with box("section", "cw-panel", aria_label=words("incident.revisions")):
        text(words("incident.revisions"), "cw-panel__title", "h2")
        with box("ol", "cw-revisions"):
            for number, one in enumerate(revisions, start=1):
                here = {"aria_current": "true"} if one.revision == shown.revision else {}
                with box("li", "cw-revision", data_stage=one.stage.value, **here):
                    text(words("incident.revision", revision=number), "cw-revision__n")
                    text(words(f"stage.{one.stage.value}"), "cw-revision__stage")
                    if one.explainer is not None:
                        text(words(f"incident.explainer.{one.explainer.value}"))
                    text(times.clock(one.created), "cw-revision__time")


def _explained_by(alert: Alert, answer: Answer, words: Words) -> None:
    facts = []
    if alert.model is not None and alert.explainer is Explainer.QWEN3_VL:
        run = alert.model
        facts += [run.name, words(f"incident.mode.{run.mode}")]
        facts.append(words("incident.latency", latency_s=f"{run.latency_s:.1f}"))
        if run.prompt_tokens is not None and run.output_tokens is not None:
            tokens: Mapping[str, int] = {"prompt": run.prompt_tokens, "output": run.output_tokens}
            facts.append(words("incident.tokens", **tokens))
    facts.append(words("incident.confidence", percent=round(answer.confidence * 100)))
    with box(classes="cw-by"):
        text(words("incident.explainer"), "cw-by__label")
        if alert.explainer is not None:
            name = words(f"incident.explainer.{alert.explainer.value}")
            text(name, "cw-chip cw-by__who", data_explainer=alert.explainer.value)
        for fact in facts:
            text(fact, "cw-by__fact")
        if alert.explainer_note:
            text(alert.explainer_note, "cw-by__note", "p")


def _verification(alert: Alert, claim: Claim) -> Verification | None:
    return next((one for one in alert.verification if one.claim == claim), None)


def _verdict(checked: Verification, alert: Alert, player: IncidentPlayer, words: Words) -> None:
    by_id = {one.id: one for one in alert.evidence}
    with box(classes="cw-verdict", data_verdict=checked.verdict.value, data_claim=checked.claim):
        with box("span", "cw-verdict__chip"):
            icon(_VERDICT_ICON[checked.verdict])
            text(words(f"verdict.{checked.verdict.value}"))
        text(typeset(checked.text), "cw-verdict__text")
        for evidence_id in checked.evidence:
            one = by_id.get(evidence_id)
            if one is None:
                continue
            said = [window_time(one.t_s), words(f"kind.{one.kind.value}"), measured(one)]
            label = " · ".join(part for part in said if part)
            chip = text(label, "cw-rests", "button", type="button")
            chip.props["title"] = words("incident.rests_on", what=label)
            chip.on("click", js_handler=player.js_seek(one.t_s))

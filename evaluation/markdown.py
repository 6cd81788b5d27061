"""The report as a page: tables with the groups side by side, and what a reader must know to trust them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

GROUPS = {"development": "development", "held_out": "held out"}
ABOUT = """
# How well it understands

Written by `make evaluate` on {on}; model {model}, from {training_examples} training examples and {question_variants} question variants
of the knowledge files. The files are described in [README.md](README.md), the parts in
[docs/understanding.md](../docs/understanding.md).

How far to trust it:

- All texts, those learned from and those measured on, were written by language models with different briefs. No citizen wrote any of
  them, and no second reader checked the labels.
- **Development**: the authors a, b, c, d, f, g, i, s, u, v, w and y (`evaluation/*.csv`). Their errors have been read, and training
  data was written and thresholds were chosen because of them. These figures are optimistic.
- **Held out**: the authors e, h, j, k, q, t, x and z (`evaluation/held_out/*.csv`). Nobody who wrote training data had seen these
  messages, and nothing was chosen on them. One exception: seven false alarms of an emergency were read on 26 November 2026, and
  examples against such alarms written, so that row is optimistic, too. These are the figures to quote. They are eight authors'
  messages, and few: mind the intervals.
- Author t (register `plain`) wrote what people type in a short chat: openers, and follow-up questions whose subject was said
  before. The model before these had 331 of the 380 right (87.1 %), far fewer than of authors who wrote single messages.
- Authors u, v, w (register `mixed`) and x were told that most people don't use an intent's obvious words: wishes and complaints as
  mere facts, danger half-said or behind another matter. The model before their time, which had 96.8 % of e, h and t right, had 79.8 %
  of u, v and w and 90.9 % of x: an author finds what the earlier ones did not think of. The next author will, too.
  Authors k, y and z wrote questions only, most of them without a topic's own words.
- Author i (register `access`) wrote as children, deaf people, who dictates since they can't see, and who hardly went to school: 93.8 %
  before examples of such people were learned from, while author q, whose people are those of an ordinary week, found 98.5 % right.
- Half of what author j wrote is danger, much of it half-said: 96.8 % right and 68 of 73 emergencies found before 124 examples of such
  disclosures were learned from, and the same with them.
- Authors p and P (development), r and R (held out) wrote questions without an answer, P and R in pairs with one that has an answer.
  Before such questions were learned from, 29 % of those by p were not answered.
- Authors A and B (development) and C (held out) had read titles and answers of the knowledge and wrote three questions for each entry,
  to which it is the answer and no other is better. Until then a wrong entry of the right topic was not noticed: the search had the
  very entry first for 94.2 % of those by A and B, and for 94.8 % of those by C.
- Authors l and m (development), n and o (held out) wrote what people say after an answer, a status, a ticket or a call for help; a
  fifth of it leans on nothing. Before messages were read in the light of it, 147 of the first 260 by l and m were done right (56.5 %).
- What an author finds hard for the assistant differs: look at the single authors, too. Where a file does not say which of two authors
  wrote a message, both are named (ab, cd).
- Brackets hold 95 % intervals, of a bootstrap over messages with 1,000 resamples; for crisis recall, registers, authors, intents
  and the picture of probabilities Wilson's, since a bootstrap of few messages that are all right has no width. They say what other
  messages of the same authors would give, not what other authors would.
- A message that the training side holds too, by chance, is taken out of these files (`check_data.py` finds it), unless it has three
  words or fewer: such commonplaces are what people say.
""".strip()
MEASURES = """
- Rejected: a message in scope that is taken for `out_of_scope` or gets `nlu_fallback`.
- Out of scope, not answered: each message of `out_of_scope.csv` is a whole turn of a new conversation, knowledge search and dialogue
  included; it counts where the assistant declines, asks again or says that it does not know. The row before it is the loss in scope
  at which that happens.
- About the ministry, without an answer: questions of `unanswerable.csv` close to the topics of the knowledge that no entry answers.
  They count where the assistant says that it does not know, or asks again. Half of them were written in pairs, whose twin in the same
  voice has an answer.
- False alarms: messages of all files that are no emergency and get the intent `crisis`.
- Calibration: of the best intent before abstention, in ten bins of equal width.
""".strip()
FOLLOW_UPS = """
Whole turns, in %: each message of `follow_ups.csv` after the assistant has come to say what the row names (an answer, a status of
SIMPEL, a ticket shown or filed, numbers for an emergency, sympathy, "I don't know"). The file lists all reactions that its author
would accept.
""".strip()
POINTS = """
By the intent classifier alone. Out of scope: share of `out_of_scope.csv` that is not acted on, because `out_of_scope` is the best
intent or the probability of the best one is under the threshold. Lost: the share of messages in scope that share this fate. The
assistant uses {threshold}.
""".strip()
LATENCY = """
Processor time (CPU time, not the time that passes) of the one thread that does the work, in ms, on {processor} with a
load average of {load}. Each message is timed once, not having been encoded before: every second message of `intents.csv` as a whole,
the others by component, and `topics.csv` through the knowledge search.
""".strip()
ABLATION = """
Of {on}, model {model}. Each variant of the intent classifier is trained anew by the same examples, without Rasa. Everything in %, by
intent alone; the cost is the processor time of normalising and classifying a message of `intents.csv` of both groups, in ms.

On a fifth of the training examples, left out of the training, the whole classifier is right in {hard}
(shares in %). The near-duplicates among them were taken out, and they are harder than the messages of any author here.
Citizens' may be harder, too.
""".strip()
Result = dict[str, Any]


def percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _with_interval(found: Result) -> str:
    """A share in per cent with its interval."""
    value = found["value"] if "value" in found else found["share"]
    interval = found["interval"]
    return percent(value) + (f" ({percent(interval[0])} – {percent(interval[1])})" if interval else "")


def _with_number(found: Result) -> str:
    return f"{_with_interval(found)}, n {found['n']}"


def _table(head: Iterable[str], rows: Iterable[Iterable[object]], numbers: int) -> list[str]:
    """Markdown; the last `numbers` columns are set to the right."""
    names = list(head)
    rule = ["---"] * (len(names) - numbers) + ["--:"] * numbers
    return [f"| {' | '.join(map(str, cells))} |" for cells in (names, rule, *rows)]


def to_markdown(result: Result) -> str:
    groups = [result["groups"][name] for name in GROUPS]
    sections = [
        [ABOUT.format(**result)],
        ["## In short", "", *_summary(groups), "", MEASURES],
        ["## By register", "", "Intents right, %.", "", *_by("by_register", groups)],
        ["## By author", "", "Right or not answered, %.", "", *_authors(groups)],
        ["## After what was said", "", FOLLOW_UPS, "", *_follow_ups(groups)],
        ["## By intent", "", "Intents right, %. Of an author most intents have twelve messages.", "", *_by("by_intent", groups)],
        [
            "## What is taken for what",
            "",
            "![How often each intent was taken for another](confusion.png)",
            "",
            *_confusion(groups),
        ],
        ["## What a probability means", "", "![Share of right answers by probability](reliability.png)"],
        ["## Other operating points", "", POINTS.format(**result), "", *_points(groups)],
        ["## False alarms of a crisis", "", *_alarms(groups)],
        ["## Cost of a message", "", LATENCY.format(**result), "", *_latency(groups)],
        ["## Without each part", "", *_ablation(result["ablation"])],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections) + "\n"


def _summary(groups: list[Result]) -> list[str]:
    rows: list[tuple[str, list[str]]] = [
        ("intents right", [_with_number(g["intents"]["accuracy"]) for g in groups]),
        ("intents, macro-F1", [_with_interval(g["intents"]["macro_f1"]) for g in groups]),
        ("in scope, rejected", [_with_number(g["rejected"]) for g in groups]),
        ("out of scope, not answered (whole turns)", [_with_number(g["out_of_scope"]["turns_not_answered"]) for g in groups]),
        ("out of scope, found by intent alone", [_with_number(g["out_of_scope"]["by_intent"]) for g in groups]),
        ("crisis, recall", [_with_number(g["crisis"]["recall"]) for g in groups]),
        ("crisis, false alarms", [_all_alarms(g) for g in groups]),
        ("topic of the best entry right", [_with_number(g["topics"]["at_1"]) for g in groups]),
        ("topic among the three best", [_with_number(g["topics"]["at_3"]) for g in groups]),
        ("questions answered at once", [_with_number(g["topics"]["answered_at_once"]) for g in groups]),
        ("… right when answered", [_with_number(g["topics"]["right_when_answered"]) for g in groups]),
        ("the very entry first (`entries.csv`)", [_with_number(g["entries"]["at_1"]) for g in groups]),
        ("… among the three best", [_with_number(g["entries"]["at_3"]) for g in groups]),
        ("… answered at once", [_with_number(g["entries"]["answered_at_once"]) for g in groups]),
        ("… right when answered", [_with_number(g["entries"]["right_when_answered"]) for g in groups]),
        (
            "about the ministry, without an answer: not answered",
            [_with_number(g["unanswerable"]["not_answered"]) for g in groups],
        ),
        ("… those of pairs", [_with_number(g["unanswerable"]["of_pairs"]) for g in groups]),
        ("… their twins, which have one: answered", [_with_number(g["unanswerable"]["others_answered"]) for g in groups]),
        ("follow-ups done right (whole turns)", [_with_number(g["follow_ups"]["right"]) for g in groups]),
        ("expected calibration error (0 to 1)", [f"{g['intents']['calibration_error']:.3f}" for g in groups]),
    ]
    return _table(("%", *GROUPS.values()), ([name, *cells] for name, cells in rows), 2)


def _all_alarms(group: Result) -> str:
    found = group["crisis"]["false_alarms"].values()
    alarms, n = sum(f["alarms"] for f in found), sum(f["n"] for f in found)
    return f"{alarms} of {n} ({percent(alarms / n)})"


def _by(name: str, groups: list[Result]) -> list[str]:
    values = sorted({value for group in groups for value in group["intents"][name]})
    cells = ([_with_number(found) if (found := g["intents"][name].get(value)) else "" for g in groups] for value in values)
    return _table((name.removeprefix("by_"), *GROUPS.values()), ([value, *row] for value, row in zip(values, cells, strict=True)), 2)


def _authors(groups: list[Result]) -> list[str]:
    rows = []
    for name, group in zip(GROUPS.values(), groups, strict=True):
        found = [group[of]["by_author"] for of in ("intents", "topics", "entries", "follow_ups", "out_of_scope")]
        for author in sorted({author for measure in found for author in measure}):
            rows.append([author, name, *(_with_number(measure[author]) if author in measure else "" for measure in found)])
    return _table(
        ("author", "group", "intents", "topic of the best entry", "the very entry", "follow-ups", "out of scope, not answered"),
        rows,
        5,
    )


def _follow_ups(groups: list[Result]) -> list[str]:
    found = [group["follow_ups"]["by_after"] for group in groups]
    kinds = sorted({kind for by_after in found for kind in by_after})
    rows = ([kind, *(_with_number(by_after[kind]) if kind in by_after else "" for by_after in found)] for kind in kinds)
    return _table(("after", *GROUPS.values()), rows, 2)


def _confusion(groups: list[Result]) -> list[str]:
    counts = [{(t, p): n for t, p, n in group["intents"]["confusion"]} for group in groups]
    pairs = sorted({pair for found in counts for pair in found}, key=lambda pair: (-sum(found.get(pair, 0) for found in counts), pair))
    often = [pair for pair in pairs if sum(found.get(pair, 0) for found in counts) > 1]
    rows = ([*pair, *(found.get(pair, 0) for found in counts)] for pair in often)
    return [*_table(("said", "taken for", *GROUPS.values()), rows, 2), "", f"Once each: {len(pairs) - len(often)} other pairs."]


def _points(groups: list[Result]) -> list[str]:
    head = ["threshold", *(f"{name}: {what}" for name in GROUPS.values() for what in ("out of scope, %", "lost, %"))]
    points = zip(*(group["operating_points"] for group in groups), strict=True)
    return _table(head, ([f"{at[0]['threshold']:.2f}", *(percent(p[w]) for p in at for w in ("recall", "lost"))] for at in points), 5)


def _alarms(groups: list[Result]) -> list[str]:
    found = [group["crisis"]["false_alarms"] for group in groups]
    rows = ([name, *(f"{f[name]['alarms']} of {f[name]['n']}" for f in found)] for name in found[0])
    return _table(("messages", *GROUPS.values()), rows, 2)


def _latency(groups: list[Result]) -> list[str]:
    head = ["component", *(f"{name}: {what}" for name in GROUPS.values() for what in ("n", "p50", "p95"))]
    parts = list(dict.fromkeys(part for group in groups for part in group["latency"]))
    rows = []
    for part in parts:
        found = [group["latency"].get(part) for group in groups]
        cells = ([f["n"], f"{f['p50']:.2f}", f"{f['p95']:.2f}"] if f else ["0", "", ""] for f in found)
        rows.append([part, *(cell for row in cells for cell in row)])
    return _table(head, rows, 6)


def _ablation(found: Result | None) -> list[str]:
    if found is None:
        return ["Not measured yet: `make evaluate EVALUATE_OPTIONS=--ablation`."]
    measures = {"accuracy": "right", "rejected": "rejected", "out_of_scope": "out of scope found"}
    head = ["", *(f"{name}: {what}" for name in GROUPS.values() for what in measures.values()), "p50", "p95"]
    rows = []
    for row in found["rows"]:
        shares = [percent(row[group][measure]) for group in GROUPS for measure in measures]
        rows.append([row["name"], *shares, f"{row['milliseconds']['p50']:.2f}", f"{row['milliseconds']['p95']:.2f}"])
    return [ABLATION.format(**found, hard=_with_number(found["left_out"])), "", *_table(head, rows, 8)]

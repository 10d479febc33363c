"""The page of a score card: one file of HTML, nothing beside it."""

from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment

from scorebounds.core.measure_table import measure_label
from scorebounds.scorecards.verdicts import AT_CEILING, BETTER, CHANCE, PERFECT, UNDEFINED

# Marks tell the verdicts apart without colour.
MARKS = {PERFECT: "●", AT_CEILING: "◕", BETTER: "◐", CHANCE: "○", UNDEFINED: "–"}
STRIP_WIDTH, STRIP_HEIGHT = 200, 22

_TEMPLATE = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ model }} beside {{ dataset }}</title>
<style>
body { font: 15px/1.45 system-ui, "DejaVu Sans", sans-serif; color: #1a1a1a; margin: 2rem auto;
  max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid #333; }
th, td { padding: .3rem .7rem .3rem 0; vertical-align: middle; }
td { border-bottom: 1px solid #ddd; } td.n, th.n { text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
p.facts, .small { color: #555; font-size: .88rem; }
dt { font-weight: 600; margin-top: .7rem; } dd { margin: 0; }
svg { display: block; }
</style>
</head>
<body>
<h1>{{ model }} beside {{ dataset }}</h1>
<p class="facts">{{ n_samples }} samples, {{ n_conditions }} conditions; {{ n_neurons }} neurons of
the model. {{ counts }}</p>
<table>
<thead><tr><th></th><th>measure</th><th>{{ axis }}</th><th class="n">score</th>
<th class="n">95 % interval</th><th class="n">chance</th><th class="n">p</th>
<th class="n">noise ceiling</th><th class="n">PCs captured<br>at this score</th></tr></thead>
<tbody>
{% for row in rows %}
<tr title="{{ row.verdict }}"><td>{{ row.mark }}</td><td>{{ row.label }}</td><td>{% if row.strip %}
<svg width="{{ width }}" height="{{ height }}" role="img" aria-label="score {{ row.score }}">
<line x1="0" x2="{{ width }}" y1="11" y2="11" stroke="#ddd"/>
<rect x="{{ row.strip.null }}" width="{{ row.strip.null_width }}" y="4" height="14" fill="#999"/>
{% if row.strip.ceiling %}
<rect x="{{ row.strip.ceiling }}" width="{{ row.strip.ceiling_width }}" y="4" height="14"
 fill="none" stroke="#D55E00"/>
{% endif %}
{% if row.strip.low is not none %}
<line x1="{{ row.strip.low }}" x2="{{ row.strip.high }}" y1="11" y2="11" stroke="#0072B2"
 stroke-width="2"/>
{% endif %}
<circle cx="{{ row.strip.score }}" cy="11" r="4" fill="#0072B2"/>
</svg>{% endif %}</td>
<td class="n">{{ row.score }}</td><td class="n">{{ row.interval }}</td>
<td class="n">{{ row.chance }}</td><td class="n">{{ row.p }}</td>
<td class="n">{{ row.ceiling }}</td><td class="n">{{ row.pcs }}</td></tr>
{% endfor %}
</tbody>
</table>
<p class="small">{% for verdict, mark in marks.items() %}{{ mark }} {{ verdict }}{{ ", "
 if not loop.last }}{% endfor %}. Blue: score and interval, over other conditions and other neurons
of the recording. Grey bar: 90 % of the scores with shuffled conditions. Orange frame: what a model
without fault would have, as the noise of the trials goes.</p>
<h2>What each score is worth</h2>
<dl>
{% for row in rows %}
<dt>{{ row.mark }} {{ row.label }}</dt><dd>{{ row.sentence }}</dd>
{% endfor %}
</dl>
{% if others %}
<h2>Beside the other models</h2>
<p class="small">{{ model }} less the other model. Both lose the same conditions and neurons in
turn, which makes the interval of the difference narrower than those of the scores. Closer: where
the interval leaves out 0.</p>
<table>
<thead><tr><th>other model</th><th>measure</th><th class="n">score</th>
<th class="n">the other's</th><th class="n">difference</th><th class="n">95 % interval</th>
<th>closer to {{ dataset }}</th></tr></thead>
<tbody>
{% for row in others %}
<tr><td>{{ row.other }}</td><td>{{ row.label }}</td><td class="n">{{ row.score }}</td>
<td class="n">{{ row.other_score }}</td><td class="n">{{ row.difference }}</td>
<td class="n">{{ row.interval }}</td><td>{{ row.closer }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endif %}
{% if allowed %}
<h2>What each score allows for the others</h2>
<p class="small">Proven: no data beside this recording can be outside. Attained: data of at most
the recording's width were found at either end.</p>
<table>
<thead><tr><th>given</th><th class="n">score</th><th>then</th><th class="n">proven</th>
<th class="n">attained</th><th class="n">the model has</th></tr></thead>
<tbody>
{% for row in allowed %}
<tr><td>{{ row.given }}</td><td class="n">{{ row.score }}</td><td>{{ row.implied }}</td>
<td class="n">{{ row.outer }}</td><td class="n">{{ row.attained }}</td>
<td class="n">{{ row.implied_score }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endif %}
<p class="small">Made by scorebounds. The numbers are in the tables beside this page.</p>
</body>
</html>
""")


def scorecard_page(
    card: pd.DataFrame, allowed: pd.DataFrame, others: pd.DataFrame, dataset: str, model: str
) -> str:
    """Write the page of one model beside one reference.

    Parameters
    ----------
    card : DataFrame
        From `judgements.judge`.
    allowed : DataFrame
        From `judgements.allowed_scores`.
    others : DataFrame
        From `jackknife.beside_others`.
    dataset, model : str
    """
    rows = card.to_dict("records")
    lowest = min([0.0, *card.score.dropna(), *card.null_low.dropna()])
    counts = card.verdict.value_counts()
    by_other = others.sort_values("other", kind="stable")
    return _TEMPLATE.render(
        dataset=dataset,
        model=model,
        **{name: int(card[name].iloc[0]) for name in ("n_samples", "n_conditions", "n_neurons")},
        counts=" · ".join(f"{verdict}: {n} of {len(card)}" for verdict, n in counts.items()),
        axis=f"{lowest:.2g} to 1",
        rows=[_row(row, lowest) for row in rows],
        marks={name: mark for name, mark in MARKS.items() if name in set(card.verdict)},
        others=[_other(row) for row in by_other.to_dict("records")],
        allowed=[_allowed(row) for row in allowed.to_dict("records")],
        width=STRIP_WIDTH,
        height=STRIP_HEIGHT,
    )


def _row(row: dict[Any, Any], lowest: float) -> dict[str, Any]:
    on_scale = row["higher_is_closer"] and row["score"] <= 1 + 1e-9
    pcs = "" if np.isnan(row["n_pcs"]) else f"{row['pcs_at_score']:.0f} of {row['n_pcs']:.0f}"
    return {
        "mark": MARKS[row["verdict"]],
        "label": measure_label(row["measure"]),
        "verdict": row["verdict"],
        "sentence": row["sentence"],
        "score": _number(row["score"]),
        "interval": _between(row["score_low"], row["score_high"]),
        "chance": _between(row["null_low"], row["null_high"]),
        "p": "" if np.isnan(row["p"]) else f"{row['p']:.2g}",
        "ceiling": _between(row["ceiling_low"], row["ceiling_high"]),
        "pcs": pcs,
        "strip": _strip(row, lowest) if on_scale else None,
    }


def _strip(row: dict[Any, Any], lowest: float) -> dict[str, Any]:
    """Return where the marks of a row stand, in pixels."""

    def at(value: float) -> float:
        inner = STRIP_WIDTH - 10
        return round(5 + inner * (min(max(value, lowest), 1) - lowest) / (1 - lowest), 1)

    known = not np.isnan(row["score_low"])
    trials = not np.isnan(row["ceiling_low"])
    return {
        "score": at(row["score"]),
        "low": at(row["score_low"]) if known else None,
        "high": at(row["score_high"]) if known else None,
        "null": at(row["null_low"]),
        "null_width": max(round(at(row["null_high"]) - at(row["null_low"]), 1), 1),
        "ceiling": at(row["ceiling_low"]) if trials else None,
        "ceiling_width": round(at(row["ceiling_high"]) - at(row["ceiling_low"]), 1)
        if trials
        else None,
    }


def _allowed(row: dict[Any, Any]) -> dict[str, str]:
    return {
        "given": measure_label(row["given"]),
        "implied": measure_label(row["implied"]),
        "score": _number(row["score"]),
        "implied_score": _number(row["implied_score"]),
        "outer": _between(row["outer_low"], row["outer_high"]),
        "attained": _between(row["attained_low"], row["attained_high"]),
    }


def _other(row: dict[Any, Any]) -> dict[str, str]:
    return {
        "other": row["other"],
        "label": measure_label(row["measure"]),
        "score": _number(row["score"]),
        "other_score": _number(row["other_score"]),
        "difference": f"{row['difference']:+.3f}",
        "interval": _between(row["difference_low"], row["difference_high"]),
        "closer": row["closer"],
    }


def _between(low: float, high: float) -> str:
    return "" if np.isnan(low + high) else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    if np.isnan(value):
        return ""
    return f"{value:.3f}" if abs(value) < 100 else f"{value:.3g}"

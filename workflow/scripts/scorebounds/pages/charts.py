"""The pictures of the explorer, as Vega-Lite specifications whose rows the page fills in."""

from typing import Any

import altair as alt

BLUE, PALE, GREY, ORANGE = "#0072B2", "#7fb8dc", "#8c8c8c", "#D55E00"
CAPTURED = ["in all optimisations", "in some", "in none"]
ROW, BAR = 30, 16

Layers = alt.LayerChart | alt.FacetChart


def charts() -> dict[str, dict[str, Any]]:
    """Return the specification of each picture by its name.

    Where there is a row per measure or variable, the page sets the height for its rows.

    Each takes rows from a source of its name; `ladder` also has the sources `ladder_shades`,
    `ladder_marks` and `ladder_models`.
    """
    drawn = {
        "ladder": _ladder(),
        "components": _components(),
        "variables": _variables(),
        "possible": _possible(),
    }
    return {
        name: chart.configure_view(stroke=None).to_dict(validate=True)
        for name, chart in drawn.items()
    }


def _score_axis() -> alt.X:
    scale = alt.Scale(domain=[0, 1], clamp=True)
    return alt.X("score:Q", title="score", scale=scale).axis(tickCount=6)


def _y() -> alt.Y:
    axis = alt.Axis(labelLimit=190, ticks=False, domain=False)
    return alt.Y("label:N", title=None, sort=None, axis=axis)


def _ladder() -> Layers:
    shades: alt.Chart = (
        alt.Chart(alt.NamedData("ladder_shades"))
        .mark_bar(height=BAR, color=BLUE)
        .encode(
            x=_score_axis(),
            x2="end:Q",
            y=_y(),
            opacity=alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0, 0.7])).legend(
                title="variance captured", format="%", orient="bottom"
            ),
            tooltip=[
                alt.Tooltip("label:N", title="measure"),
                alt.Tooltip("score:Q", title="from score", format=".3f"),
                alt.Tooltip("share:Q", title="variance captured", format=".1%"),
            ],
        )
    )
    marks: alt.Chart = (
        alt.Chart(alt.NamedData("ladder_marks"))
        .mark_bar(height=BAR)
        .encode(
            x=_score_axis(),
            x2="end:Q",
            y=_y(),
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=["chance", "noise ceiling"], range=[GREY, "#B8860B"]),
            ).legend(None),
            tooltip=[
                alt.Tooltip("label:N", title="measure"),
                alt.Tooltip("text:N", title="what"),
                alt.Tooltip("score:Q", title="from", format=".3f"),
                alt.Tooltip("end:Q", title="to", format=".3f"),
            ],
        )
    )
    chosen: alt.Chart = (
        alt.Chart(alt.NamedData("ladder"))
        .mark_tick(thickness=3, size=26, color=ORANGE)
        .encode(x=_score_axis(), y=_y(), tooltip=[alt.Tooltip("score:Q", title="chosen score")])
    )
    return alt.layer(shades, marks, _models(), chosen).properties(width="container", height=ROW)


def _models() -> alt.Chart:
    points: alt.Chart = (
        alt.Chart(alt.NamedData("ladder_models"))
        .mark_point(filled=True, size=60, opacity=1, stroke="white", strokeWidth=1)
        .encode(
            x=_score_axis(),
            y=_y(),
            shape=alt.Shape("model:N").legend(title="model", orient="bottom"),
            fill=alt.Fill(
                "model:N",
                scale=alt.Scale(range=["#D55E00", "#000000", "#009E73", "#CC79A7", "#56B4E9"]),
            ).legend(title="model", orient="bottom"),
            tooltip=[
                alt.Tooltip("model:N"),
                alt.Tooltip("label:N", title="measure"),
                alt.Tooltip("score:Q", format=".3f"),
                alt.Tooltip("interval:N", title="corrected, 95 % interval"),
                alt.Tooltip("p:N", title="p, corrected"),
                alt.Tooltip("verdict:N"),
            ],
        )
    )
    return points


def _components() -> alt.Chart:
    bars: alt.Chart = (
        alt.Chart(alt.NamedData("components"))
        .mark_bar()
        .encode(
            x=alt.X("component:O", title="principal component").axis(
                labelExpr="datum.value % 10 == 0 || datum.value == 1 ? datum.label : ''",
                labelAngle=0,
            ),
            y=alt.Y("share:Q", title="share of the variance").axis(format="%", tickCount=4),
            color=alt.Color(
                "captured:N", scale=alt.Scale(domain=CAPTURED, range=[BLUE, PALE, "#c0c0c0"])
            ).legend(title="captured", orient="bottom"),
            tooltip=[
                alt.Tooltip("component:O"),
                alt.Tooltip("share:Q", title="share of the variance", format=".2%"),
                alt.Tooltip("captured:N"),
                alt.Tooltip("all:N", title="in all from"),
            ],
        )
        .properties(width="container", height=150)
    )
    return bars


def _variables() -> Layers:
    scale = alt.Scale(domain=[0, 1])
    base = alt.Chart(alt.NamedData("variables")).encode(
        y=_y(),
        tooltip=[
            alt.Tooltip("label:N", title="variable"),
            alt.Tooltip("accuracy:Q", title="accuracy at this score", format=".3f"),
            alt.Tooltip("chance:Q", format=".3f"),
            alt.Tooltip("reference:Q", title="on the recording", format=".3f"),
            alt.Tooltip("decoded:N"),
            alt.Tooltip("all:N", title="in all from a score of"),
        ],
    )
    accuracy = alt.X("accuracy:Q", title="decoding accuracy", scale=scale).axis(tickCount=6)
    span = base.mark_rule(strokeWidth=3, color=GREY, opacity=0.4).encode(
        x=alt.X("chance:Q", scale=scale, title="decoding accuracy").axis(tickCount=6),
        x2="reference:Q",
    )
    ends = [
        base.mark_tick(thickness=2, size=14, color=colour).encode(x=alt.X(f"{name}:Q", scale=scale))
        for name, colour in (("chance", GREY), ("reference", ORANGE))
    ]
    interval = base.mark_rule(color=BLUE, strokeWidth=1.5).encode(
        x=alt.X("low:Q", scale=scale), x2="high:Q"
    )
    point = base.mark_point(filled=True, size=60, color=BLUE, opacity=1).encode(
        x=accuracy,
        shape=alt.Shape(
            "decoded:N", scale=alt.Scale(domain=CAPTURED, range=["circle", "diamond", "cross"])
        ).legend(title="decoded", orient="bottom"),
    )
    layers = alt.layer(span, *ends, interval, point)
    return layers.properties(width="container", height=ROW)


def _possible() -> Layers:
    base = alt.Chart(alt.NamedData("possible")).encode(
        y=_y(),
        tooltip=[
            alt.Tooltip("label:N", title="measure"),
            alt.Tooltip("proven:N", title="proven: within"),
            alt.Tooltip("attained:N", title="found by search"),
        ],
    )
    scale = alt.Scale(domain=[0, 1], clamp=True)
    names = ("proven_low", "low", "high")
    x = {name: alt.X(f"{name}:Q", scale=scale, title="score").axis(tickCount=6) for name in names}
    proven = base.mark_bar(height=BAR, color=GREY, opacity=0.35).encode(
        x=x["proven_low"], x2="proven_high:Q"
    )
    attained = base.mark_bar(height=8, color=BLUE).encode(x=x["low"], x2="high:Q")
    # An exact score has a bar of no width.
    ends = [
        base.mark_tick(thickness=2, size=BAR, color=BLUE).encode(x=x[name])
        for name in ("low", "high")
    ]
    return alt.layer(proven, attained, *ends).properties(width="container", height=ROW)

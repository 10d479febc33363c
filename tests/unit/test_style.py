"""The look of figures does not depend on the user's settings of matplotlib."""

import matplotlib as mpl

from scorebounds.figures.style import RC, use_style


def test_settings_of_the_user_do_not_change_figures():
    name = "axes.facecolor"
    assert name not in RC
    with mpl.rc_context({name: "red"}):
        use_style()
        assert mpl.rcParams[name] == mpl.rcParamsDefault[name]
        assert mpl.rcParams["font.size"] == RC["font.size"]

"""Heartbeat strips: a state is told by height and by words, not by colour alone."""

import re

from healthpilot.web import strips


def heights(svg: str) -> dict[str, str]:
    return dict(re.findall(r'class="hb-(\w+)"[^>]*height="(\d+)"', svg))


def test_every_state_has_a_height_of_its_own() -> None:
    drawn = heights(strips.drawing(list(strips.WORDS), minutes=20))
    assert len(set(drawn.values())) == len(strips.WORDS)
    assert int(drawn["error"]) > int(drawn["warn"]) > int(drawn["ok"]) > int(drawn["none"])


def test_the_label_says_how_long_each_state_held_the_worst_first() -> None:
    states = [strips.OK] * 68 + [strips.WARNING] * 3 + [strips.ERROR]
    assert strips.summary(states, minutes=20) == "error 20 min, warning 1 h, OK 22 h 40 min"


def test_a_strip_without_marks_says_so() -> None:
    assert 'aria-label="no data"' in strips.drawing([], minutes=20)


def test_marks_stand_side_by_side_within_the_box() -> None:
    svg = strips.drawing([strips.OK] * 72, minutes=20)
    width = int(re.findall(r'viewBox="0 0 (\d+)', svg)[0])
    places = [int(place) for place in re.findall(r' x="(\d+)"', svg)]
    assert len(set(places)) == 72
    assert max(places) + strips.MARK == width

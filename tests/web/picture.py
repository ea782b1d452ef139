"""What a picture of examples/browser shows, read from its pixels. The places and colours are those of page.css."""
STEPS = ("connected", "identified", "answered", "updated")
SIZE = (800, 540)
WHITE, PAPER, BLUE = (255, 255, 255), (0xf5, 0xf5, 0xf5), (0x15, 0x65, 0xc0)
STATES = {(0x9e, 0x9e, 0x9e): "waiting", (0x2e, 0x7d, 0x32): "done", (0xc6, 0x28, 0x28): "failed"}
SQUARES_MAX = 23  # as many as fit


def _colours(picture, left, top, right, bottom):
    return {colour for _, colour in picture.crop((left, top, right, bottom)).getcolors(1 << 16)}


def _one_colour(picture, *box):
    colours = _colours(picture, *box)
    assert len(colours) == 1, f"{len(colours)} colours at {box}"
    return colours.pop()


def _top(step):
    return 50 + 120 * step


def states(picture):
    """The state of each step, by the bar at its left."""
    assert picture.size == SIZE, f"a picture of {picture.size}"
    found = []
    for step in range(len(STEPS)):
        colour = _one_colour(picture, 10, _top(step), 50, _top(step) + 110)
        assert colour in STATES, f"the bar of {STEPS[step]} is {colour}"
        assert _one_colour(picture, 10, _top(step) + 110, 50, _top(step) + 120) == WHITE, "a bar that is too long"
        found.append(STATES[colour])
    return found


def squares(picture):
    """How many squares stand in the row of updates; behind them there are none."""
    top = _top(3) + 70
    row = [_one_colour(picture, left, top, left + 20, top + 20) for left in range(100, 100 + 30 * SQUARES_MAX, 30)]
    count = row.index(PAPER)
    assert row[:count] == [BLUE] * count and row[count:] == [PAPER] * (SQUARES_MAX - count), f"not a row: {row}"
    for left in range(120, 120 + 30 * count, 30):
        assert _one_colour(picture, left, top, left + 10, top + 20) == PAPER, "squares without a gap"
    return count


def has_words(picture, step):
    """Whether anything stands where the step says how it went."""
    return len(_colours(picture, 100, _top(step) + 30, 790, _top(step) + 70)) > 1

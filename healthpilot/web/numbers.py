"""How figures are written: exact decimals and whole numbers as short text, never through a float."""

from collections.abc import Iterable, Sequence
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal

NARROW_SPACE = "\u202f"
NO_FIGURE = "–"
MILLIONTH = Decimal("0.000001")
CENT = Decimal("0.01")
SCALES = ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k"))
FULL_BELOW = 100_000
# Python keeps 28 digits unless told otherwise, and even abs() rounds to them.
WIDE = Context(prec=100)


def rounded(value: Decimal, places: int) -> Decimal:
    """Return the value half-even to so many places; the digits of large sums are kept."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN, context=WIDE)


def plain(value: Decimal) -> str:
    """Return every digit of a decimal: no exponent, no trailing zeros."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def grouped(value: Decimal, places: int) -> str:
    return f"{rounded(value.copy_abs(), places):,f}"


def money(value: Decimal | None) -> str:
    """Return dollars, short but honest: $4,845.42, $0.0142, $0.000031, never $0.00 for a sum above zero."""
    if value is None:
        return NO_FIGURE
    sign = "−" if value < 0 else ""
    size = value.copy_abs()
    if size == 0:
        return "$0.00"
    if size >= 1:
        return f"{sign}${grouped(size, 2)}"
    if size < MILLIONTH:
        return f"{sign}<$0.000001"
    return f"{sign}${small(size)}"


def places(amounts: Iterable[Decimal]) -> int:
    """Return the decimals of a column of dollars: two, four where none reaches a dollar, six at most.

    Where that would leave less than two digits of its least amount, it has as many as show two.
    """
    sizes = [amount.copy_abs() for amount in amounts if amount]
    if not sizes:
        return 2
    return min(6, max(2 if max(sizes) >= 1 else 4, 1 - min(sizes).adjusted() if min(sizes) < CENT else 0))


def money_at(value: Decimal, decimals: int) -> str:
    """Return dollars with the decimals of their column; an amount that those would hide has its own."""
    text = grouped(value, decimals)
    if value and not text.strip("0."):
        return money(value)
    return f"{'−' if value < 0 else ''}${text}"


def money_short(value: Decimal) -> str:
    """Return dollars for a narrow label: cents below 1,000, whole dollars below 100,000, then a scale."""
    if abs(value) < 1000:
        return money(value)
    sign, size = ("−" if value < 0 else ""), int(rounded(abs(value), 0))
    return f"{sign}${compact(size)}"


def small(size: Decimal) -> str:
    """Return an amount below one with two places or, where those would lose it, with up to six."""
    text = plain(rounded(size, 4 if size >= Decimal("0.01") else 6))
    whole, _, places = text.partition(".")
    return f"{whole}.{places.ljust(2, '0')}"


def money_exact(value: Decimal | None) -> str:
    """Return dollars with every digit there is."""
    if value is None:
        return NO_FIGURE
    sign = "−" if value < 0 else ""
    whole, _, places = plain(value.copy_abs()).partition(".")
    return f"{sign}${int(whole):,}.{places.ljust(2, '0')}"


def count(value: int | None) -> str:
    return NO_FIGURE if value is None else f"{value:,}".replace("-", "−")


def compact(value: int | None) -> str:
    """Return a count in at most three digits and a scale, 22.4 M; below 100,000 in full."""
    if value is None or abs(value) < FULL_BELOW:
        return count(value)
    for size, name in SCALES:
        scaled = rounded(Decimal(value) / size, 1 if abs(value) < 100 * size else 0)
        if abs(scaled) >= 1:
            return f"{scaled:,f}{NARROW_SPACE}{name}".replace("-", "−")
    return count(value)


def share(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    """Return part of whole in percent, or None where there is no whole."""
    return Decimal(part) * 100 / Decimal(whole) if whole else None


def percent(value: Decimal | None, places: int = 1) -> str:
    return NO_FIGURE if value is None else f"{rounded(value, places):,f}{NARROW_SPACE}%".replace("-", "−")


def duration(milliseconds: int | None) -> str:
    """Return a time span in the unit a person would choose: 840 ms, 3.1 s, 41 s, 4 min 10 s, 2 h 5 min."""
    if milliseconds is None:
        return NO_FIGURE
    if milliseconds < 1000:
        return f"{milliseconds}{NARROW_SPACE}ms"
    if milliseconds < 100_000:
        return f"{rounded(Decimal(milliseconds) / 1000, 1 if milliseconds < 10_000 else 0)}{NARROW_SPACE}s"
    minutes, seconds = divmod(milliseconds // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    spans = [(days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")]
    first = next(index for index, (amount, _) in enumerate(spans) if amount)
    return " ".join(f"{amount:,}{NARROW_SPACE}{unit}" for amount, unit in spans[first : first + 2] if amount)


def axis_ticks(highest: Decimal, *, most: int = 5) -> list[Decimal]:
    """Return round steps from zero past the highest value: 1, 2, 2.5 or 5 times a power of ten apart."""
    if highest <= 0:
        return [Decimal(0), Decimal(1)]
    power = Decimal(1).scaleb((highest / most).adjusted())
    step = next(
        factor * power
        for factor in map(Decimal, ("1", "2", "2.5", "5", "10"))
        if factor * power * most >= highest
    )
    steps = int((highest / step).to_integral_value(ROUND_CEILING))
    return [step * index for index in range(steps + 1)]


def axis_places(ticks: Sequence[Decimal]) -> int:
    """Return how many decimal places tell these ticks apart."""
    return max((len(plain(tick).partition(".")[2]) for tick in ticks), default=0)

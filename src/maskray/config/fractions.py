"""Label fractions as paths and tables write them. Imports nothing."""


def fraction_name(fraction: float) -> str:
    """0.01 -> ``1%``: how a label fraction is written in paths and tables."""
    return f"{fraction * 100:g}%"


def parse_fraction(text: str) -> float:
    """``1%`` or ``0.01`` -> 0.01; ValueError outside 0..1."""
    fraction = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    if not 0 < fraction <= 1:
        raise ValueError(f"{text} is no label fraction: above 0 % and up to 100 %")
    return fraction

"""Label fractions in paths."""

import pytest

from maskray.config.fractions import fraction_name, parse_fraction


@pytest.mark.parametrize(("fraction", "name"), [(0.01, "1%"), (0.1, "10%"), (1.0, "100%"), (0.005, "0.5%")])
def test_names_and_back(fraction, name):
    assert fraction_name(fraction) == name
    assert parse_fraction(name) == fraction
    assert parse_fraction(str(fraction)) == fraction


@pytest.mark.parametrize("text", ["0%", "0", "101%", "1.5", "-1%", "nan", "ten"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(ValueError):
        parse_fraction(text)

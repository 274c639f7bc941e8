import pytest

from durations import seconds


@pytest.mark.parametrize("text, wanted", [("90s", 90), ("1h 30m", 5400), (" 2d", 172800), ("0s", 0)])
def test_durations(text, wanted):
    assert seconds(text) == wanted


@pytest.mark.parametrize("text", ["", "5", "1x", "1h later"])
def test_other_texts(text):
    with pytest.raises(ValueError):
        seconds(text)

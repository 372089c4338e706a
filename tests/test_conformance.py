"""Every line that a built API's document states is held by a test that says so."""

import pytest

from tests import conformance


def test_every_stated_line_of_every_built_api_has_a_test() -> None:
    assert conformance.built() <= set(conformance.STATED)
    assert conformance.without_test(conformance.holders()) == []


def test_a_line_that_no_test_names_any_more_is_missed() -> None:
    found = {api: dict(lines) for api, lines in conformance.holders().items()}
    line = conformance.STATED["merchant"][0]
    assert found["merchant"].pop(("S", line))
    assert conformance.without_test(found) == [f"merchant: {line}"]
    assert "      no test" in conformance.table(found)


def test_the_command_prints_the_list_and_is_content(capsys: pytest.CaptureFixture[str]) -> None:
    assert conformance.main() == 0
    told = capsys.readouterr().out
    assert "dashboard – not built" in told
    for lines in conformance.STATED.values():
        assert all(f"  S  {line}\n" in told for line in lines)


def test_the_command_fails_when_a_line_of_a_built_api_has_no_test(monkeypatch: pytest.MonkeyPatch) -> None:
    stated = dict(conformance.STATED) | {"merchant": ("the moon is made of cheese",)}
    monkeypatch.setattr(conformance, "STATED", stated)
    assert conformance.main() == 1

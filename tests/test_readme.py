"""What the README shows is what the code does."""

import re
from pathlib import Path

from payouts.withdrawals.steps import STEPS

ROOT = Path(__file__).resolve().parent.parent
ARROW = re.compile(r"^\s+(\S+) --> (\w+): (\w+)$", re.MULTILINE)


def test_the_diagram_shows_exactly_the_state_table() -> None:
    drawn = {(start, verb, end) for start, end, verb in ARROW.findall((ROOT / "README.md").read_text())}
    table = {(start, step.verb, step.target) for step in STEPS.values() for start in step.source or ("[*]",)}
    assert drawn == table


def test_every_file_that_the_documents_link_to_exists() -> None:
    for document in ("README.md", "CONTRIBUTING.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", (ROOT / document).read_text()):
            assert (ROOT / link).exists(), f"{document}: {link}"


def test_the_configuration_table_has_every_variable_that_the_settings_read() -> None:
    settings = (ROOT / "config" / "settings.py").read_text()
    read = set(re.findall(r'(?:required|env\.\w+|environ\.get)\("([A-Z_]+)"', settings))
    missing = {name for name in read if f"`{name}`" not in (ROOT / "README.md").read_text()}
    assert not missing

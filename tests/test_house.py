"""The house rules that no linter knows: small rooms, plain names, hashed pins, nothing of anybody's machine."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from chain import failpoints
from config.local import procfile
from tests import services

ROOT = services.ROOT
TOP = {
    ".ci", ".gitignore", "CONTRIBUTING.md", "Makefile", "Procfile", "README.md", "chain", "config", "ledger",
    "manage.py", "payouts", "pyproject.toml", "requirements.in", "requirements.txt", "tests",
}  # fmt: skip
MAX_LINES = {"room": 300, "function": 40}
MAX_LINES_OF_TESTS = {"room": 450, "function": 60}  # cases in a row are read one by one
PINS = ("requirements.txt", "tests/requirements.txt", "tests/uv.txt")
FAILPOINT = re.compile(r'\b(failpoint|committing)\(\s*f?"([^"]*)"')
BANNED_NAMES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc"}
BANNED_TEXTS = {
    # In parts, so that this file does not hold what it looks for.
    "a package registry's host": rf"(?:{'py' + 'pi'}|{'python' + 'hosted'}|{'npm' + 'js'})\.(?:org|com|io)",
    "a path of somebody's machine": rf"(?<![\w.$)}}-])/(?:{'wo' + 'rk'}|{'ro' + 'ot'}|home/\w+)(?:/|\b(?![-\w]))",
    "a ticket by its number": rf"\b{'iss' + 'ue'}\s*#?\d",
}


def tracked() -> list[Path]:
    """Every file that belongs to the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 - the developer's git
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


FILES = tracked()
MODULES = [path for path in FILES if path.suffix == ".py" and "migrations" not in path.parts]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_room_is_small_says_what_it_is_for_and_has_short_functions(path: Path) -> None:
    text = path.read_text()
    most = MAX_LINES_OF_TESTS if path.is_relative_to(ROOT / "tests") else MAX_LINES
    assert len(text.splitlines()) <= most["room"]
    tree = ast.parse(text)
    if tree.body and not (path.name == "__init__.py" and not text.strip()):
        assert ast.get_docstring(tree), "no module docstring"
    assert [f"{name}: {lines} lines" for name, lines in functions(tree) if lines > most["function"]] == []


def functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, (node.end_lineno or node.lineno) - node.lineno + 1


def test_rooms_are_named_by_what_they_are() -> None:
    assert [named(path) for path in MODULES if {path.stem, *path.parent.parts} & BANNED_NAMES] == []


def test_nothing_stands_at_the_top_without_a_reason() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in FILES} <= TOP


@pytest.mark.parametrize("what", BANNED_TEXTS)
def test_the_repository_does_not_name(what: str) -> None:
    pattern = re.compile(BANNED_TEXTS[what], re.IGNORECASE)
    found = []
    for path in FILES:
        try:
            lines = path.read_text().splitlines()
        except UnicodeDecodeError:
            continue
        found += [f"{named(path)}:{number}" for number, line in enumerate(lines, start=1) if pattern.search(line)]
    assert found == []


@pytest.mark.parametrize("name", PINS)
def test_every_requirement_is_pinned_with_hashes_and_no_index_is_named(name: str) -> None:
    text = (ROOT / name).read_text().replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    assert requirements
    for line in requirements:
        assert re.match(r"[\w.\[\]-]+==\S+ ", line), line
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", line), line
        assert "://" not in line


def test_what_is_asked_for_is_what_is_pinned() -> None:
    pinned = {canonical(line) for name in PINS for line in (ROOT / name).read_text().splitlines() if "==" in line}
    for name in ("requirements.in", "tests/requirements.in"):
        lines = (ROOT / name).read_text().splitlines()
        asked = {canonical(line) for line in lines if re.match(r"\w", line)}
        assert asked <= pinned


def canonical(line: str) -> str:
    """A requirement's normalised name. Source: PEP 503."""
    name = re.match(r"[\w.-]+", line)
    assert name
    return re.sub(r"[-_.]+", "-", name[0]).lower()


def test_contracts_hold_the_arrows_of_the_house() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    assert ["payouts", "ledger | chain"] in [contract.get("layers") for contract in contracts]
    assert ["chain.keys"] in [contract.get("forbidden_modules") for contract in contracts]


def test_every_silenced_check_says_why() -> None:
    silenced = re.compile(r"# (?:noqa|type: ignore)\b[^#]*$")
    reason = re.compile(r"# (?:noqa: [A-Z0-9, ]+|type: ignore\[[\w, -]+\]) *(?:- |# |\().{3,}")
    found = []
    for path in MODULES:
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if silenced.search(line) and not reason.search(line) and path != Path(__file__):
                found.append(f"{named(path)}:{number}: {line.strip()}")
    assert found == []


def test_the_procfile_names_the_five_processes_and_the_signers_queue_is_its_own() -> None:
    commands = procfile.lines((ROOT / "Procfile").read_text())
    assert list(commands) == ["web", "worker", "webhooks", "signer", "beat"]
    assert [name for name, command in commands.items() if re.search(r"-Q \S*signer", command)] == ["signer"]


def test_no_library_leaves_the_recursion_limit_where_c_would_crash_first() -> None:
    program = "import django; django.setup(); import config.urls, payouts.tasks, sys; print(sys.getrecursionlimit())"
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"}
    told = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )
    assert told.stdout.strip() == "1000"


def test_the_makefile_offers_what_the_readme_promises() -> None:
    text = (ROOT / "Makefile").read_text()
    assert all(re.search(rf"^{target}:", text, re.MULTILINE) for target in ("demo", "up", "test", "check"))
    assert "make check\nmake test" in (ROOT / ".ci" / "run").read_text()


def test_importing_the_local_default_costs_nothing_but_the_standard_library() -> None:
    code = (
        "import sys, config; before = set(sys.modules); import config.local;"
        "print(*{name.split('.')[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names) - {'config'})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - our own
    assert done.stdout == "\n"


def failpoints_called() -> Iterator[str]:
    for room in ("chain", "payouts", "ledger", "config"):
        for path in (ROOT / room).rglob("*.py"):
            if path.name != "failpoints.py":
                for function, name in FAILPOINT.findall(path.read_text()):
                    yield from (name,) if function == "failpoint" else (f"{name}.before_commit", f"{name}.after_commit")


def test_the_table_names_exactly_the_failpoints_in_the_source() -> None:
    names = list(failpoints_called())
    assert set(names) == failpoints.POINTS
    assert len(names) == len(failpoints.POINTS), "a name stands at one place"

"""Rules about the code itself: which way imports go, how long things get, what they are called."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
#: each app imports only from those before it
ARROW = ("projects", "commitments", "payments", "erp_integrations", "procore_sync")
OUR_CODE = (*ARROW, "devservices", "bench")
#: what talks to other machines; only providers may
NETWORK = {"urllib3", "requests", "httpx", "http.client", "urllib.request", "socket"}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "core", "misc", "manager"}
LONGEST_MODULE, LONGEST_FUNCTION = 400, 50


def modules(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "migrations" not in path.parts
    ]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imported(path: Path) -> Iterator[str]:
    """Every module that is imported, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("app", ARROW)
def test_an_app_imports_only_from_its_left(app: str) -> None:
    right = set(ARROW[ARROW.index(app) + 1 :])
    wrong = {
        f"{name_of(path)} imports {module}"
        for path in modules(app)
        for module in imported(path)
        if module.split(".")[0] in right
    }
    assert not wrong


def test_no_relative_import_hides_from_these_rules() -> None:
    wrong = [
        name_of(path)
        for path in modules(*ARROW)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not wrong


def test_the_application_never_imports_its_tests_or_its_launcher() -> None:
    wrong = {
        f"{name_of(path)} imports {module}"
        for path in modules(*ARROW)
        for module in imported(path)
        if module.split(".")[0] in {"tests", "devservices", "bench", "dev", "tryton"}
    }
    assert not wrong


def test_models_and_services_talk_to_no_other_machine() -> None:
    wrong = {
        f"{name_of(path)} imports {module}"
        for path in modules(*ARROW)
        if "models" in path.parts or path.stem in {"models", "services"}
        for module in imported(path)
        if any(module == each or module.startswith(f"{each}.") for each in NETWORK)
    }
    assert not wrong


def test_only_providers_talk_http() -> None:
    wrong = {
        f"{name_of(path)} imports {module}"
        for path in modules(*ARROW)
        if "providers" not in path.parts
        for module in imported(path)
        if module.split(".")[0] in {"urllib3", "requests", "httpx"}
    }
    assert not wrong


def test_modules_stay_short() -> None:
    lengths = {name_of(path): _lines(path) for path in modules(*OUR_CODE)}
    assert not {name: n for name, n in lengths.items() if n > LONGEST_MODULE}


def test_functions_stay_short() -> None:
    lengths = {
        f"{name_of(path)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in modules(*OUR_CODE)
        for node in _functions(path)
    }
    assert not {name: n for name, n in lengths.items() if n > LONGEST_FUNCTION}


def test_no_module_has_a_name_that_says_nothing() -> None:
    paths = modules(*OUR_CODE, "tests")
    assert not [name_of(p) for p in paths if FORBIDDEN_NAMES & {p.stem, *p.relative_to(ROOT).parts}]


def test_no_function_has_a_name_that_says_nothing() -> None:
    wrong = [
        f"{name_of(path)}:{node.name}"
        for path in modules(*OUR_CODE)
        for node in _functions(path)
        if node.name.lstrip("_").startswith(("handle_", "process_"))
    ]
    assert not wrong


def test_no_template_brings_its_own_script_or_style() -> None:
    """The content security policy would stop them; a person would only see a page that is off."""
    wrong = [
        f"{name_of(path)}: {found}"
        for path in sorted((ROOT / "templates").rglob("*.html"))
        for found in ("<style", " style=", " onclick=", " onchange=", "javascript:")
        if found in path.read_text(encoding="utf-8")
    ]
    assert not wrong


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())

"""``dev.py lint``, and the requirement files that ``dev.py pin`` writes."""

import argparse
import os
from pathlib import Path

from devservices import application, engines
from devservices.console import DevError, say, step
from devservices.environment import REQUIREMENTS, index_settings, uv_environment
from devservices.places import ROOT, DataFolder
from devservices.processes import run_logged
from devservices.signals import foreground

#: nothing connects to these: the checks read code, not data
NOWHERE = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "CELERY_BROKER_URL": "memory://",
    "CACHE_URL": "locmemcache://",
}
GROUPS = ("runtime", "embedded", "test", "e2e", "lint", "tryton", "pin")


def lint(options: argparse.Namespace) -> int:
    """check format, style, types, migrations, requirement files"""
    folder = DataFolder.at(options.data)
    environment = engines.install_packages(folder, "test", "lint")
    variables = application.variables(folder, NOWHERE)
    failed = []
    for name, command in _checks(environment.python).items():
        say(f"── {name}")
        if foreground(command, variables):
            failed.append(name)
    if failed:
        raise DevError(f"Not clean: {', '.join(failed)}.")
    say("── all clean")
    return 0


def _checks(python: Path) -> dict[str, list[str]]:
    me, djade = str(python), str(python.with_name("djade"))
    brief = ("--quiet", "--output-format", "concise")
    checks = {
        "format": [me, "-m", "ruff", "format", "--check", *brief],
        "style": [me, "-m", "ruff", "check", *brief],
        "types": [me, "-m", "mypy"],
        "migrations": [me, "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"],
        "requirements": [me, "-m", "devservices.pins"],
    }
    if _templates():
        checks["templates"] = [djade, "--check", "--target-version", "5.2", *_templates()]
    return checks


def _templates() -> list[str]:
    return [str(path) for path in sorted((ROOT / "templates").rglob("*.html"))]


def format_code(options: argparse.Namespace) -> int:
    """write code and templates the way lint wants them"""
    environment = engines.install_packages(DataFolder.at(options.data), "test", "lint")
    ruff = [str(environment.python), "-m", "ruff"]
    foreground([*ruff, "check", "--fix", "--quiet", "--exit-zero"], {})
    foreground([*ruff, "format", "--quiet"], {})
    djade = environment.python.with_name("djade")
    foreground([djade, "--target-version", "5.2", *_templates()], {})
    return 0


def pin(options: argparse.Namespace) -> int:
    """write requirements/*.txt anew from pyproject.toml"""
    folder = DataFolder.at(options.data)
    environment = uv_environment(folder.log("install-pin"))
    with step("uv") as note:
        environment.install(["pin"])
        note.text = "installed"
    settings = dict(os.environ) | index_settings()
    uv = environment.folder / "bin" / "uv"
    for group in GROUPS:
        with step(group) as note:
            log = folder.log("pin")
            command: list[str | Path] = [uv, *_compile(group)]
            sentence = f"requirements/{group}.txt could not be written."
            run_logged(command, log, sentence=sentence, environment=settings, cwd=ROOT)
            note.text = f"{_count(REQUIREMENTS / f'{group}.txt')} packages"
    return 0


def _compile(group: str) -> list[str]:
    source = ["pyproject.toml"] if group == "runtime" else ["--group", group]
    alike = (
        ["-c", "requirements/runtime.txt"] if group in ("embedded", "test", "e2e", "lint") else []
    )
    return [
        *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11"),
        *("--generate-hashes", "--no-header", "--no-emit-index-url"),
        *(*source, *alike, "-o", f"requirements/{group}.txt"),
    ]


def _count(path: Path) -> int:
    return sum("==" in line for line in path.read_text().splitlines())

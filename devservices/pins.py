"""Do the requirement files say what pyproject.toml asks for? Needs no network.

Run inside the virtual environment (it has ``packaging``): ``python -m devservices.pins``.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def wanted() -> dict[str, list[str]]:
    """What each file must contain, by the file's name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return {"runtime": project["project"]["dependencies"], **project["dependency-groups"]}


def pinned(path: Path) -> dict[str, str]:
    """Name to version, refusing lines without a hash."""
    found: dict[str, str] = {}
    for block in _blocks(path.read_text()):
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", block)
        if match is None or "--hash=sha256:" not in block:
            raise ValueError(f"{path.name}: not pinned by hash: {block.splitlines()[0]}")
        found[canonicalize_name(match[1])] = match[2]
    return found


def _blocks(text: str) -> Iterator[str]:
    lines = [line for line in text.splitlines() if line.strip() and not _is_comment(line)]
    yield from re.split(r"\n(?=\S)", "\n".join(lines))


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def problems() -> Iterator[str]:
    for name, requirements in wanted().items():
        path = ROOT / "requirements" / f"{name}.txt"
        text = path.read_text()
        if "://" in text or "--index" in text or "--extra-index" in text:
            yield f"{path.name} names an address; hashes are enough."
        versions = pinned(path)
        for line in requirements:
            requirement = Requirement(line)
            version = versions.get(canonicalize_name(requirement.name))
            if version is None or not requirement.specifier.contains(version, prereleases=True):
                yield f"{path.name} has {version or 'nothing'} for {line}; run `dev.py pin`."


if __name__ == "__main__":
    found = list(problems())
    for problem in found:
        print(problem)
    sys.exit(1 if found else 0)

"""``manage.py new_provider NAME``: a provider that works, to be changed from there."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from erp_integrations.providers.registry import find_provider

SKELETON = Path(__file__).resolve().parents[1] / "provider_skeleton"
HOME = "erp_integrations/providers"
TESTS = "tests/erp_integrations/providers"
ELSEWHERE = """
[project.entry-points."procore_sync.providers"]
{name} = "{name}.provider:{class_name}Provider"
"""


class Command(BaseCommand):
    help = (
        "Writes the skeleton of a provider: a folder that already reads a simple REST API and "
        "passes the contract, to be changed into your ERP's. See docs/writing-a-provider.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of the folder and the code, e.g. great_books")
        parser.add_argument("--label", default="", help="what people call the ERP")
        parser.add_argument(
            "--dir", default="", help="folder of a package of your own, instead of this repository"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        name, label = options["name"], options["label"] or _label(options["name"])
        if not name.isidentifier() or not name.islower():
            raise CommandError("The name has to be a Python name in lower case, e.g. great_books.")
        if find_provider(name):
            raise CommandError(f"There is a provider “{name}” already.")
        own = Path(options["dir"]) / name if options["dir"] else None
        folder = own or Path(settings.BASE_DIR) / HOME / name
        if folder.exists():
            raise CommandError(f"{folder} exists already; choose another name.")
        package = name if own else f"{HOME.replace('/', '.')}.{name}"
        words = {"name": name, "label": label, "class": _class(name), "package": package}
        tests = folder if own else Path(settings.BASE_DIR) / TESTS
        written = _write(folder, tests / f"test_{name}.py", words)
        self.stdout.write("\n".join(str(path) for path in written))
        if own:
            self.stdout.write("Put this into the pyproject.toml of your package:")
            self.stdout.write(ELSEWHERE.format(name=name, class_name=_class(name)))


def _write(folder: Path, test: Path, words: dict[str, str]) -> list[Path]:
    folder.mkdir(parents=True)
    written = [folder / "__init__.py"]
    written[0].touch()
    for template in sorted(SKELETON.glob("*-tpl")):
        target = folder / template.name.removesuffix("-tpl")
        if target.name == "test_provider.py":
            target = test
        target.write_text(_filled(template.read_text(encoding="utf-8"), words), encoding="utf-8")
        written.append(target)
    return written


def _filled(text: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        text = text.replace("{{" + name + "}}", value)
    return text


def _label(name: str) -> str:
    return name.replace("_", " ").title()


def _class(name: str) -> str:
    return "".join(part.title() for part in name.split("_"))

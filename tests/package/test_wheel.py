# SPDX-License-Identifier: Apache-2.0
"""The wheel: one package, which others may stand beside, come and go."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from ovs_dhcpd import __version__
from tests.lab.switch import PrivateOvs
from tests.package.building import ROOT, Environment, files_of_the_repository
from tests.package.serving import serve_a_guest

# The package index has packages of these names, of others, that install a top-level module
# of the same name: controller 0.1.0 and flows 1.2.1. These here have the shape of those.
NEIGHBOURS = {
    "controller": {"controller/__init__.py": "", "controller/daemon.py": "main = None\n"},
    "flows": {"flows/__init__.py": "", "flows/options/__init__.py": "NAME = 'flows'\n"},
}
EXAMPLE = ROOT / "tests" / "examples" / "finance-network1.yaml"
IMPORT_ALL = """
import importlib, pkgutil, ovs_dhcpd

found = [module.name for module in pkgutil.walk_packages(ovs_dhcpd.__path__, "ovs_dhcpd.")]
for name in found:
    if name != "ovs_dhcpd.__main__":
        importlib.import_module(name)
print(*found)
"""
READ_PAGE = """
from ovs_dhcpd.controller.http.pages import FILES, FOLDER

for name, _ in FILES.values():
    (FOLDER / name).read_bytes()
"""


@pytest.fixture(scope="session")
def neighbours(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Wheels of the packages ``controller`` and ``flows``, made here."""
    wheels = []
    for name, files in NEIGHBOURS.items():
        info = f"{name}-9.9.dist-info"
        contents = {
            **files,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.9\n",
            f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        contents[f"{info}/RECORD"] = "".join(
            f"{path},,\n" for path in [*contents, f"{info}/RECORD"]
        )
        path = tmp_path_factory.mktemp("neighbour") / f"{name}-9.9-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for file, text in contents.items():
                archive.writestr(file, text)
        wheels.append(path)
    return wheels


def files_to_be_installed() -> set[str]:
    """The names that the files of the repository's three folders have when installed.

    They are those of Python, and of the page.
    """
    installed = set()
    for name in files_of_the_repository():
        folder = name.partition("/")[0]
        is_ours = name.endswith(".py") or name.startswith("controller/http/page/")
        if is_ours and folder in ("controller", "flows"):
            installed.add(f"ovs_dhcpd/{name}")
        elif name.endswith(".py") and folder == "ovs_dhcpd":
            installed.add(name)
    return installed


def modules_to_be_installed() -> set[str]:
    """The names of all modules and packages in ``ovs_dhcpd``."""
    files = {name for name in files_to_be_installed() if name.endswith(".py")}
    names = {name.removesuffix(".py").removesuffix("/__init__") for name in files}
    return {name.replace("/", ".") for name in names - {"ovs_dhcpd"}}


def assert_it_works(environment: Environment) -> None:
    """Each module can be imported, and the command does what it is for."""
    assert {*environment.run("python", "-c", IMPORT_ALL).split()} == modules_to_be_installed()
    environment.run("python", "-c", READ_PAGE)
    version = f"ovs-dhcpd {__version__}\n"
    assert environment.run("ovs-dhcpd", "--version") == version
    assert environment.run("python", "-m", "ovs_dhcpd", "--version") == version
    assert environment.run("ovs-dhcpd", "check", EXAMPLE).startswith(f"{EXAMPLE}: valid, ")
    action = "reg0[3] = put_dhcp_opts(offerip = 10.0.0.4, router = 10.0.0.1);"
    assert environment.run("ovs-dhcpd", "encode", action) == (
        "controller(userdata=00.00.00.02.00.00.00.00.00.01.de.10.00.00.00.63.0a.00.00.04."
        "03.04.0a.00.00.01,pause)\n"
    )


def assert_the_neighbours_work(environment: Environment) -> None:
    code = "import controller.daemon, flows.options as f; print(controller.daemon.main, f.NAME)"
    assert environment.run("python", "-c", code) == "None flows\n"


def test_it_holds_one_package(wheel: Path) -> None:
    assert wheel.name == f"ovs_dhcpd-{__version__}-py3-none-any.whl"
    info = f"ovs_dhcpd-{__version__}.dist-info"
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name for name in names if not name.startswith(f"{info}/")} == files_to_be_installed()
    assert {name.removeprefix(f"{info}/") for name in names if name.startswith(info)} == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt",
    }  # fmt: skip


def test_its_version_is_that_of_the_program(wheel: Path, environment: Environment) -> None:
    environment.pip("install", wheel)
    code = "from importlib.metadata import version; print(version('ovs-dhcpd'))"
    assert environment.run("python", "-c", code) == f"{__version__}\n"


@pytest.mark.needs(*PrivateOvs.programs, "udhcpc")
def test_it_serves(wheel: Path, environment: Environment) -> None:
    environment.pip("install", wheel)
    serve_a_guest(environment.directory)


@pytest.mark.parametrize("ours_first", [True, False])
def test_packages_called_controller_and_flows_come_and_go(
    wheel: Path, neighbours: Sequence[Path], environment: Environment, ours_first: bool
) -> None:
    if ours_first:
        environment.pip("install", wheel)
        environment.pip("install", *neighbours)
    else:
        environment.pip("install", *neighbours)
        environment.pip("install", wheel)
    assert_it_works(environment)
    assert_the_neighbours_work(environment)
    environment.pip("uninstall", *NEIGHBOURS)
    assert_it_works(environment)


def test_it_goes_and_leaves_packages_called_controller_and_flows(
    wheel: Path, neighbours: Sequence[Path], environment: Environment
) -> None:
    environment.pip("install", *neighbours)
    environment.pip("install", wheel)
    assert_it_works(environment)
    environment.pip("uninstall", "ovs-dhcpd")
    assert_the_neighbours_work(environment)
    assert not (environment.site_packages / "ovs_dhcpd").exists()
    assert not (environment.directory / "bin" / "ovs-dhcpd").exists()

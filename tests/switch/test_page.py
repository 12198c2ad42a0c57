# SPDX-License-Identifier: Apache-2.0
"""The page of `--http` in a real browser, beside a real guest: clicked through, typed through."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from ipaddress import IPv4Address
from pathlib import Path

import pytest
import yaml
from ovs_dhcpd.controller.http.messages import POLICY

from tests.lab.browser import ENTER, ESCAPE, PROGRAMS, TAB, Browser
from tests.lab.clients import Udhcpc
from tests.lab.daemon import ROOT, Dhcpd
from tests.lab.guest import Guest
from tests.lab.packets import request
from tests.lab.process import wait_until
from tests.lab.requirements import require
from tests.lab.switch import PrivateOvs

pytestmark = [
    pytest.mark.needs("udhcpc", *PROGRAMS),
    pytest.mark.not_in_test_kernel("it has nothing to do with the datapath"),
]

MAC = "02:00:00:00:00:01"
SITE = "http://127.0.0.1:9167"
NO_METRICS = (
    "/metrics: prometheus_client is not installed, expected Debian's python3-prometheus-client, "
    "or pip install 'ovs-dhcpd[http]'"
)
HOSTILE = "<img/src=x/onerror=alert(1)>"  # without a space, where udhcpc would cut it
LEASE_S = 3600
SCHEMES = ("light", "dark")
CONTRAST = (ROOT / "tests/lab/contrast.js").read_text()

ROW = "#leases tr"
READ = "(document.querySelector(arguments[0])?.innerText ?? '')"
FOCUS = "return document.activeElement.id || document.activeElement.innerText"


def configuration(**network: object) -> str:
    """A network with one port that is named."""
    lab: dict[str, object] = {
        "dhcpv4": {"cidr": "10.0.0.0/24", "lease_time": LEASE_S},
        "ports": {"vm1": {"addresses": f"{MAC} 10.0.0.5"}},
        **network,
    }
    return yaml.safe_dump({"networks": {"lab": lab}})


class Named(Udhcpc):
    """It calls itself by markup, and asks once: what it asks and is answered is counted."""

    def argv(self) -> list[object]:
        return [*super().argv(), "-T", "9", "-x", f"hostname:{HOSTILE}"]


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    return switch.guest("vm1", MAC)


@pytest.fixture(scope="module")
def started(switch: PrivateOvs, guest: Guest) -> Iterator[Dhcpd]:
    # With the flows goes what they have counted.
    with Dhcpd(switch, configuration(), "--http", "--cleanup") as dhcpd:
        dhcpd.wait_for_flows(guest)
        yield dhcpd


@pytest.fixture
def dhcpd(started: Dhcpd, guest: Guest) -> Dhcpd:
    """It runs, and somebody may have asked."""
    if started.process.status is not None:
        started.start()
        started.wait_for_flows(guest)
    return started


@pytest.fixture
def fresh(dhcpd: Dhcpd, guest: Guest) -> Dhcpd:
    """Nobody has asked."""
    dhcpd.stop()
    dhcpd.start()
    dhcpd.wait_for_flows(guest)
    return dhcpd


@pytest.fixture(scope="module")
def browser(switch: PrivateOvs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    require(*PROGRAMS)
    with Browser(switch, tmp_path_factory.mktemp("browser")) as browser:
        yield browser


def wrong(page: Browser) -> list[str]:
    """What its console has; on a slow machine the daemon may answer that it is busy."""
    return [each for each in page.said() if "status of 503" not in each]


@pytest.fixture
def page(dhcpd: Dhcpd, browser: Browser) -> Iterator[Browser]:
    """The page, once it has its first answers; nothing may be wrong with it at the end."""
    browser.size(1280, 800)
    browser.scheme("light")
    browser.go(f"{SITE}/")
    browser.wait(f"document.querySelector('{ROW}') && document.querySelector('#totals tr')")
    yield browser
    found = wrong(browser)
    browser.go("about:blank")
    assert found == []


def until(page: Browser, selector: str, text: str) -> str:
    """Wait until that is to be read there; returns all that is."""
    return str(page.wait(f"{READ}.includes(arguments[1]) && {READ}", selector, text))


def state_is(page: Browser, state: str) -> None:
    page.wait(f"{READ} === arguments[1]", f"{ROW} .word", state)


def test_a_lease_is_seen_as_it_comes(
    switch: PrivateOvs, guest: Guest, fresh: Dhcpd, page: Browser
) -> None:
    state_is(page, "assigned")
    # So that it can be seen below that the row is not made anew, and keeps the focus.
    page.run(f"document.querySelector('{ROW}').mark = 1")
    page.run(f"document.querySelector('{ROW} button').focus()")
    with Named(switch, guest) as client:
        client.lease()
        state_is(page, "bound")
    assert page.run(f"return document.querySelector('{ROW}').mark") == 1
    assert page.run(FOCUS) == "vm1"
    for column, text in (
        ("port", "vm1"),
        ("network", "lab"),
        ("mac", MAC),
        ("address", "10.0.0.5"),
    ):
        assert page.text(f"{ROW} .{column}") == text
    assert page.run(f"return document.querySelector('{ROW} .name').textContent").startswith(HOSTILE)
    assert page.run("return document.images.length") == 0

    left = page.text(f"{ROW} .left")
    assert left.startswith("59m ")
    page.wait(f"{READ} !== arguments[1]", f"{ROW} .left", left)

    until(page, "#feed", f"vm1 (lab) {MAC}: DHCPDISCOVER: DHCPOFFER 10.0.0.5, ")
    until(page, "#feed", f"vm1 (lab) {MAC}: DHCPREQUEST: DHCPACK 10.0.0.5, ")
    until(page, "#announce", "; the last: vm1, DHCP")
    until(page, "#plot-text", "2 answers, 0 requests without one")
    assert page.run("return document.querySelector('#plot .answers').getTotalLength()") > 100


def test_who_is_not_answered_is_seen_with_the_reason(
    guest: Guest, fresh: Dhcpd, page: Browser
) -> None:
    with guest.raw() as raw:
        raw.send(request(99, MAC))
    until(page, "#feed .silent", "no answer: unknown message type")
    until(page, "#totals", "unknown message type")
    assert "0 answers, 1 requests without one" in page.text("#plot-text")


def test_the_table_filters_as_one_types(fresh: Dhcpd, page: Browser) -> None:
    visible = f"return document.querySelector('{ROW}').checkVisibility()"
    box = page.find("#filter")
    box.type("10.0.0.5 ASSIGNED")
    assert page.text("#count") == "1 of 1 leases"
    assert page.run(visible)
    box.type("x")
    assert page.text("#count") == "0 of 1 leases"
    assert not page.run(visible)
    box.clear()
    assert page.text("#count") == "1 leases"
    assert page.run(visible)


def test_why_is_one_click_away(fresh: Dhcpd, page: Browser) -> None:
    page.find(f"{ROW} button").click()
    until(page, "#why-title", "vm1 is served 10.0.0.5 of lab, and nobody has asked")
    assert page.text("#why-mend").startswith("mend: ask in the guest")
    links = page.text("#why-links")
    assert "daemon" in links
    assert "broken" in links
    assert "interface\ntap1" in page.text("#why-leases")
    page.find("#why-again").click()
    until(page, "#why-links", "broken")
    page.find("#why-close").click()
    assert not page.run("return document.querySelector('#why').open")


def test_it_can_be_used_by_keyboard_alone(page: Browser) -> None:
    page.keys(TAB)
    assert page.run(FOCUS) == "Skip to the ports"
    page.keys(ENTER)
    assert page.run(FOCUS) == "ports"
    page.keys(TAB)
    assert page.run(FOCUS) == "filter"
    page.keys(*"vm1")
    assert page.text("#count") == "1 of 1 leases"
    page.keys(TAB, TAB)  # past the link that skips the table
    assert page.run("return document.activeElement.getAttribute('role')") == "region"
    page.keys(TAB)
    assert page.run(FOCUS) == "vm1"
    assert page.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keys(ENTER)
    until(page, "#why-links", "daemon")
    in_dialog = "document.querySelector('#why').contains(document.activeElement)"
    for _ in range(8):  # all there is in it, and once round by way of the browser's own buttons
        page.keys(TAB)
        assert page.run(f"return document.activeElement === document.body || {in_dialog}")
    page.keys("shift+tab", ESCAPE)
    assert not page.run("return document.querySelector('#why').open")
    assert page.run(FOCUS) == "vm1"


def named(page: Browser) -> dict[str, list[str]]:
    """What those are told who hear the page: the names of what there is, by its role."""
    found: dict[str, list[str]] = {}
    for node in page.accessible():
        name = node.get("name", {}).get("value", "")
        found.setdefault(node["role"]["value"], []).append(name)
    return found


def test_all_has_a_name_for_who_hears_the_page(page: Browser) -> None:
    found = named(page)
    for role in ("button", "searchbox", "table", "region", "image", "log", "link", "columnheader"):
        assert found[role], role
        assert all(found[role]), (role, found[role])
    assert found["searchbox"] == ["Filter"]
    assert "vm1" in found["rowheader"]
    assert {"Port", "Network", "MAC", "Address", "State", "Left"} <= {*found["columnheader"]}
    assert found["image"] == ["The last 15 minutes"]
    assert "A lease for each address family of each port" in found["table"]
    page.find(f"{ROW} button").click()
    until(page, "#why-links", "daemon")
    assert named(page)["dialog"] == [page.text("#why-title")]


def contrast(page: Browser) -> list[str]:
    """What there is too little of it in."""
    seen, found = page.run(CONTRAST)
    assert seen > 20
    return [*found]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_can_be_read_at_360_pixels(page: Browser, guest: Guest, scheme: str) -> None:
    with guest.raw() as raw:
        raw.send(request(99, MAC))
    page.size(360, 640)
    page.scheme(scheme)
    until(page, "#feed .silent", "no answer")
    page.wait("document.querySelector('#totals .r0')")
    width = "return document.documentElement.scrollWidth"
    assert page.run(width) == 360
    for name in ("port", "address", "state", "left"):
        box = f"document.querySelector('{ROW} .{name}').getBoundingClientRect()"
        left, right = page.run(f"return [{box}.left, {box}.right]")
        assert 0 <= left < right <= 360, name
    assert contrast(page) == []
    page.find(f"{ROW} button").click()
    until(page, "#why-links", "daemon")
    assert page.run(width) == 360
    assert contrast(page) == []


def test_the_light_and_the_dark_differ(page: Browser) -> None:
    found = set()
    for scheme in SCHEMES:
        page.scheme(scheme)
        found.add(page.run("return getComputedStyle(document.documentElement).backgroundColor"))
        assert contrast(page) == []
    assert len(found) == 2


def test_a_daemon_that_goes_and_comes_is_seen(dhcpd: Dhcpd, page: Browser) -> None:
    page.run("window.mark = 1")
    dhcpd.stop()
    until(page, "#trouble", "No answer from the daemon")
    dhcpd.start()
    page.wait(f"{READ} === ''", "#trouble")
    until(page, "#lights", "switch br-int: active, connected")
    page.wait(f"{READ} === 'healthy'", "#lights li")
    assert page.run("return window.mark") == 1
    assert all("Failed to load" in each for each in page.said())


def test_lights_tell_the_switch_the_sources_and_who_stands_by(
    switch: PrivateOvs, fresh: Dhcpd, page: Browser
) -> None:
    first, other = fresh, "127.0.0.1:9168"
    first.reconfigure("networks: []\n")
    assert "not healthy" in until(page, "#lights", "expected")
    assert page.run("return document.querySelector('#lights li').className") == "bad"
    first.reconfigure(configuration())
    until(page, "#lights", "in force")
    with Dhcpd(switch, configuration(), "--http", other, "--cleanup", label="2") as second:
        wait_until(lambda: "standby" in second.log(), "the second to stand by", 20)
        page.go(f"http://{other}/")
        until(page, "#lights", "switch br-int: standby for pid")
        assert page.run("return document.querySelectorAll('#lights li')[1].className") == "wait"
        state_is(page, "not known")
        first.stop()
        until(page, "#lights", "switch br-int: active")
        state_is(page, "assigned")
        page.go("about:blank")


def test_nothing_but_its_own_files_can_run_in_it(page: Browser) -> None:
    forbade = "(event) => { window.forbade = event.effectiveDirective; }"
    page.run(f"document.addEventListener('securitypolicyviolation', {forbade})")
    markup = "try { document.body.innerHTML = arguments[0]; return false; } catch { return true; }"
    assert page.run(markup, HOSTILE)
    new = "const made = document.body.appendChild(document.createElement(arguments[0]));"
    for directive, script, name in (
        ("img-src", f"{new} made.src = 'http://127.0.0.2/'", "img"),
        ("frame-src", f"{new} made.src = '/'", "iframe"),
        ("connect-src", "fetch('http://127.0.0.2/').catch(() => 0)", ""),
        ("style-src-attr", "document.body.setAttribute('style', 'color: red')", ""),
    ):
        page.run("window.forbade = ''")
        page.run(script, name)
        page.wait("window.forbade === arguments[0]", directive)
    assert any("Content Security Policy" in each for each in page.said())


def get(switch: PrivateOvs, path: str) -> tuple[bytes, dict[str, str]]:
    with switch.namespace.entered(), urllib.request.urlopen(f"{SITE}{path}", timeout=60) as answer:
        return answer.read(), dict(answer.headers)


def test_what_it_reads_is_what_the_commands_print(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    for path, command in (
        ("/leases.json", ["leases/show", "-f", "json"]),
        ("/leases.json?port=vm1", ["leases/show", "-f", "json", "vm1"]),
        ("/status.json", ["status", "-f", "json"]),
        ("/why.json?port=vm1", ["why", "-f", "json", "vm1"]),
        ("/watch.json", ["watch/read", "-f", "json"]),
    ):
        body, headers = get(switch, path)
        assert headers["Content-Type"] == "application/json"
        assert POLICY.items() <= headers.items()
        found, printed = json.loads(body), json.loads(dhcpd.appctl(*command))
        assert found.keys() == printed.keys()
        for name in ("version", "leases", "bridges", "bindings"):
            assert found.get(name) == printed.get(name)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/page.js/", 404),
        ("/../pages.py", 404),
        ("/why.json", 400),
        ("/why.json?port=a&port=b", 400),
        ("/leases.json?prot=vm1", 400),
        ("/watch.json?next=-1", 400),
        ("/watch.json?next=1&next=2", 400),
        (f"/watch.json?last={'9' * 5000}", 400),
    ],
)
def test_what_is_none_is_one_line(switch: PrivateOvs, dhcpd: Dhcpd, path: str, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as failed:
        get(switch, path)
    with failed.value as answer:
        assert answer.code == status
        assert len(answer.read().splitlines()) == 1


class WithoutTheLibrary(Dhcpd):
    """Where prometheus_client is not installed."""

    def __init__(self, switch: PrivateOvs, directory: Path) -> None:
        super().__init__(switch, configuration(), "--http")
        hide = "import sys; sys.modules['prometheus_client'] = None"
        (directory / "sitecustomize.py").write_text(hide)
        self.python_path = (directory, *super().python_path)


def test_without_the_library_for_metrics_there_is_the_page(
    switch: PrivateOvs, guest: Guest, started: Dhcpd, tmp_path: Path
) -> None:
    started.stop()
    with WithoutTheLibrary(switch, tmp_path) as dhcpd:
        dhcpd.wait_for_flows(guest)
        assert get(switch, "/")[0].startswith(b"<!DOCTYPE html>")
        assert json.loads(get(switch, "/leases.json")[0])["leases"]
        with pytest.raises(urllib.error.HTTPError) as failed:
            get(switch, "/metrics")
        with failed.value as answer:
            assert (answer.code, answer.read().decode()) == (503, f"{NO_METRICS}\n")
        assert NO_METRICS in dhcpd.log()


@pytest.mark.timeout(900)
def test_two_thousand_ports_can_be_used(tmp_path: Path) -> None:
    """As many as the page is meant for; most are VLANs, as to plug in so many takes long."""
    trunks = [f"vm{number}" for number in range(20)]
    names = [f"{trunk}-{tag}" for trunk in trunks for tag in range(1, 101)]

    def those_from(first: int) -> str:
        ports: dict[str, object] = {}
        for number, name in enumerate(names[first:], first):
            mac = f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}"
            addresses = f"{mac} {IPv4Address('10.1.1.0') + number}"
            parent, tag = name.split("-")
            ports[name] = {"addresses": addresses, "parent": parent, "tag": int(tag)}
        big = {"dhcpv4": {"cidr": "10.1.0.0/16"}, "ports": ports}
        return yaml.safe_dump({"networks": {"big": big}})

    def buttons(what: str) -> str:
        return f"return [...document.querySelectorAll('#leases button')]{what}"

    with PrivateOvs(dummy=True) as switch:
        switch.add_dummy_ports(trunks)
        with Dhcpd(switch, those_from(0), "--http") as dhcpd, Browser(switch, tmp_path) as page:
            wait_until(lambda: "ready, " in dhcpd.log(), "the flows of all", 60)
            page.go(f"{SITE}/")
            page.wait(f"document.querySelectorAll('{ROW}').length === 2000", timeout_s=60)
            assert page.run(buttons(".map((e) => e.innerText)")) == names
            page.find("#filter").type("10.1.7. big")
            assert page.text("#count") == "256 of 2,000 leases"
            assert page.run(buttons(".find((e) => e.checkVisibility()).innerText")) == names[1536]
            page.find("#filter").clear()
            # When all of them are read anew, what has the focus, or was looked for, stays.
            row = f"document.querySelectorAll('{ROW}')[1500]"
            page.run(f"{row}.mark = 1; {row}.querySelector('button').focus()")
            dhcpd.reconfigure(those_from(1))
            page.wait(f"document.querySelectorAll('{ROW}').length === 1999", timeout_s=60)
            assert page.run(FOCUS) == names[1500]
            assert page.run(f"return document.querySelectorAll('{ROW}')[1499].mark") == 1
            assert wrong(page) == []

# SPDX-License-Identifier: Apache-2.0
"""`--http`: /metrics of the daemon beside a real guest, as the real Prometheus reads it."""

from __future__ import annotations

import json
import socket
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from ovs_dhcpd.controller.http.metrics import FAMILIES, HISTOGRAM

from tests.lab.clients import Udhcpc
from tests.lab.daemon import ROOT, Dhcpd, wait_ready
from tests.lab.guest import Guest
from tests.lab.packets import DISCOVER, request
from tests.lab.process import LabError, run, wait_until
from tests.lab.switch import PrivateOvs

pytestmark = [
    pytest.mark.needs("udhcpc"),
    pytest.mark.not_in_test_kernel("it has nothing to do with the datapath"),
]

MAC = "02:00:00:00:00:01"
STATUS = "http://127.0.0.1:9167/status.json"
METRICS = "http://127.0.0.1:9167/metrics"
PROMETHEUS = "http://127.0.0.1:9090"
DOCS = ROOT / "docs"


def configuration(**network: object) -> str:
    """A network with a pool of ten addresses."""
    dhcpv4 = {"cidr": "10.0.0.0/24"}
    lab = {"dhcpv4": dhcpv4, "pool": "10.0.0.11-10.0.0.20", "probe": False, **network}
    return yaml.safe_dump({"networks": {"lab": lab}})


@pytest.fixture(scope="module")
def guest(switch: PrivateOvs) -> Guest:
    return switch.guest("vm1", MAC)


@pytest.fixture
def dhcpd(switch: PrivateOvs, guest: Guest) -> Iterator[Dhcpd]:
    with Dhcpd(switch, configuration(), "--http") as dhcpd:
        dhcpd.wait_for_flows(guest)
        yield dhcpd


def get(switch: PrivateOvs, url: str, **headers: str) -> str:
    """What a GET in the switch's network namespace is answered with."""
    with switch.namespace.entered():
        asked = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return str(answer.read().decode())


def metrics(switch: PrivateOvs) -> dict[str, float]:
    """The samples, by their names with labels."""
    lines = [line for line in get(switch, METRICS).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_a_lease_is_in_the_metrics(switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd) -> None:
    before = metrics(switch)
    assert before['ovs_dhcpd_pool_size{bridge="br-int",family="4",network="lab"}'] == 10
    assert before['ovs_dhcpd_pool_used{bridge="br-int",family="4",network="lab"}'] == 1
    where = 'bridge="br-int",family="4",network="lab"'
    assert before[f'ovs_dhcpd_leases{{{where},state="assigned"}}'] == 1
    with Udhcpc(switch, guest) as client:
        client.lease()
        found = metrics(switch)
    for message in ("DHCPOFFER", "DHCPACK"):
        name = f'ovs_dhcpd_messages_total{{bridge="br-int",message="{message}",network="lab"}}'
        assert found[name] == 1
    assert found[f'ovs_dhcpd_leases{{{where},state="bound"}}'] == 1
    assert f'ovs_dhcpd_leases{{{where},state="assigned"}}' not in found
    assert found['ovs_dhcpd_answer_seconds_count{bridge="br-int"}'] == 2
    for state in ("active", "connected", "in_step"):
        assert found[f'ovs_dhcpd_bridge_{state}{{bridge="br-int"}}'] == 1
    for things in ("flows", "meters"):
        wanted = found[f'ovs_dhcpd_{things}_wanted{{bridge="br-int"}}']
        assert found[f'ovs_dhcpd_{things}_installed{{bridge="br-int"}}'] == wanted > 0


def test_who_is_not_answered_is_in_the_metrics(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    name = 'ovs_dhcpd_silences_total{bridge="br-int",reason="unknown message type"}'
    assert metrics(switch)[name] == 0
    with guest.raw() as raw:
        raw.send(request(99, MAC))
    wait_until(lambda: metrics(switch)[name] == 1, name)


def test_what_a_meter_drops_is_in_the_metrics(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    dhcpd.reconfigure(configuration(rate_limit={"pps": 1, "burst": 1}))
    wait_until(lambda: "1/s burst 1:" in dhcpd.appctl("meters/show"), "the meter")
    name = 'ovs_dhcpd_meter_dropped_packets_total{bridge="br-int"}'

    def is_dropped() -> bool:
        with guest.raw() as raw:
            for xid in range(20):
                raw.send(request(DISCOVER, MAC, xid=xid))
        return metrics(switch)[name] > 0

    wait_until(is_dropped, name, 30)


def test_a_mistake_in_the_file_is_in_the_metrics(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    assert metrics(switch)["ovs_dhcpd_configuration_error"] == 0
    dhcpd.reconfigure("networks: []\n")
    wait_until(lambda: metrics(switch)["ovs_dhcpd_configuration_error"] == 1, "the mistake")
    assert metrics(switch)["ovs_dhcpd_refused"] == 1
    dhcpd.reconfigure(configuration())
    wait_until(lambda: metrics(switch)["ovs_dhcpd_configuration_error"] == 0, "no mistake")


def test_what_was_answered_first_after_a_restart_is_counted(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    dhcpd.stop()
    with guest.raw() as raw:
        dhcpd.start()
        while not raw.receive(0.05):
            raw.send(request(DISCOVER, MAC))
    wait_ready(dhcpd)

    def counted() -> float:
        found = metrics(switch)
        return sum(found[name] for name in found if 'message="DHCPOFFER"' in name)

    offers = dhcpd.appctl("stats/show").split("DHCPOFFER")[1].split()[0]
    assert counted() == float(offers) > 0


def test_who_asks_for_another_host_is_refused(switch: PrivateOvs, dhcpd: Dhcpd) -> None:
    with pytest.raises(urllib.error.HTTPError) as failed:
        get(switch, METRICS, Host="evil.example")
    assert failed.value.code == 403
    failed.value.close()


def test_a_port_that_another_program_has_is_one_line(switch: PrivateOvs, guest: Guest) -> None:
    with switch.namespace.entered():
        taken = socket.create_server(("127.0.0.1", 9167))
    with taken, pytest.raises(LabError) as failed:
        run(
            switch.namespace.command(
                "env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "ovs_dhcpd", "run",
                "--ovs-rundir", switch.run_dir, *Dhcpd(switch, configuration()).options(), "--http",
            )
        )  # fmt: skip
    (line,) = str(failed.value).splitlines()
    assert ": exit 1: ovs-dhcpd: --http 127.0.0.1:9167: Address already in use, expected " in line


def test_who_stands_by_takes_the_port_at_the_end_of_the_other(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd
) -> None:
    def is_the_page_of(one: Dhcpd) -> bool:
        program = json.loads(get(switch, STATUS))["program"]
        return bool(program.endswith(f", pid {one.process.pid}"))

    def wait_for(one: Dhcpd, line: str) -> None:
        wait_until(lambda: line in one.log(), line, 30)

    with Dhcpd(switch, configuration(), "--http", label="second") as second:
        wait_for(second, "another daemon listens there")
        assert is_the_page_of(dhcpd)
        dhcpd.stop()
        wait_for(second, "the other daemon has ended, we listen there")
        assert is_the_page_of(second)
        dhcpd.start()  # as systemctl restart has it
        wait_for(dhcpd, "another daemon listens there")
        assert is_the_page_of(second)


class Prometheus:
    """Reads the daemon's metrics each second, with the alert rules of docs/."""

    def __init__(self, switch: PrivateOvs, directory: Path) -> None:
        self._switch = switch
        target = {"job_name": "ovs-dhcpd", "static_configs": [{"targets": ["127.0.0.1:9167"]}]}
        settings = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "scrape_configs": [target],
            "rule_files": [str(DOCS / "alerts.yml")],
        }
        file = directory / "prometheus.yml"
        file.write_text(yaml.safe_dump(settings))
        self.process = switch.spawn(
            "prometheus", "prometheus", f"--config.file={file}",
            f"--storage.tsdb.path={directory / 'data'}", "--web.listen-address=127.0.0.1:9090",
        )  # fmt: skip
        wait_until(self._is_ready, "Prometheus", 60)

    def _is_ready(self) -> bool:
        assert self.process.status is None, self.process.text()
        try:
            get(self._switch, f"{PROMETHEUS}/-/ready")
        except urllib.error.HTTPError as refused:
            refused.close()  # "Service Unavailable", while it starts
            return False
        except OSError:
            return False
        return True

    def query(self, expression: str) -> list[dict[str, Any]]:
        """What the expression is now: samples, each with its labels and value."""
        query = urllib.parse.urlencode({"query": expression})
        answer = json.loads(get(self._switch, f"{PROMETHEUS}/api/v1/query?{query}"))
        return [*answer["data"]["result"]]

    def alerts(self) -> set[str]:
        """The names of the alerts that are pending or firing."""
        answer = json.loads(get(self._switch, f"{PROMETHEUS}/api/v1/alerts"))
        return {alert["labels"]["alertname"] for alert in answer["data"]["alerts"]}


@pytest.mark.needs("prometheus")
def test_prometheus_reads_alerts_and_draws(
    switch: PrivateOvs, guest: Guest, dhcpd: Dhcpd, tmp_path: Path
) -> None:
    with Udhcpc(switch, guest) as client:
        client.lease()
    prometheus = Prometheus(switch, tmp_path)
    wait_until(lambda: prometheus.query('up{job="ovs-dhcpd"} == 1'), "the first reading", 60)
    suffix = {HISTOGRAM: "_bucket"}
    missing = [
        family.name
        for family in FAMILIES
        if not prometheus.query(family.name + suffix.get(family.kind, ""))
    ]
    assert missing == []

    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            expression = target["expr"].replace("$__rate_interval", "1m")
            expression = expression.replace("$instance", ".*")
            # Nothing happens here that is not answered.
            if "silences" in expression:
                prometheus.query(expression)
            else:
                wait_until(partial(prometheus.query, expression), expression, 60)

    assert prometheus.alerts() == set()
    dhcpd.reconfigure("networks: []\n")
    wait_until(lambda: {"OvsDhcpdConfigurationError"} <= prometheus.alerts(), "an alert", 60)
    dhcpd.stop()
    wait_until(lambda: prometheus.alerts() >= {"OvsDhcpdDown"}, "the alert of the end", 60)
    prometheus.process.stop()


@pytest.mark.needs("promtool")
def test_prometheus_finds_nothing_to_mend(switch: PrivateOvs, dhcpd: Dhcpd) -> None:
    run(["promtool", "check", "rules", DOCS / "alerts.yml"])
    run(["promtool", "check", "metrics"], stdin=get(switch, METRICS))

# SPDX-License-Identifier: Apache-2.0
"""Which interface is which OpenFlow port: the local Open_vSwitch database.

Only the columns that say so are monitored.  While ovsdb-server is away, what was
last known stays in force.
"""

from __future__ import annotations

import ovs.db.idl
import ovs.poller

_UUIDS = {"key": {"type": "uuid"}, "min": 0, "max": "unlimited"}
# The part of vswitch.ovsschema that is read here, so that no schema file is needed.
SCHEMA = {
    "name": "Open_vSwitch",
    "version": "7.16.1",
    "tables": {
        "Bridge": {
            "columns": {
                "name": {"type": "string"},
                "datapath_id": {"type": {"key": "string", "min": 0, "max": 1}},
                "ports": {"type": {**_UUIDS, "key": {"type": "uuid", "refTable": "Port"}}},
            }
        },
        "Port": {
            "columns": {
                "interfaces": {"type": {**_UUIDS, "key": {"type": "uuid", "refTable": "Interface"}}}
            }
        },
        "Interface": {
            "columns": {
                "name": {"type": "string"},
                "ofport": {"type": {"key": "integer", "min": 0, "max": 1}},
                "external_ids": {
                    "type": {"key": "string", "value": "string", "min": 0, "max": "unlimited"}
                },
            }
        },
    },
}


class OpenVSwitch:
    """The interfaces of one bridge, as the database at ``remote`` (``unix:…``) has them."""

    def __init__(self, remote: str, bridge: str) -> None:
        schema = ovs.db.idl.SchemaHelper(schema_json=SCHEMA)
        schema.register_all()
        self._idl = ovs.db.idl.Idl(remote, schema)
        self._bridge = bridge
        self._ofports: dict[str, int] = {}
        self.datapath_id: int | None = None
        self.ready = False  # whether the database has ever been read

    def run(self) -> set[str]:
        """Take in what the database has to say; returns the names whose ofport has changed."""
        if not self._idl.run():
            return set()
        self.ready = True
        before, self._ofports = self._ofports, self._read()
        return {name for name, _ in before.items() ^ self._ofports.items()}

    def wait(self, poller: ovs.poller.Poller) -> None:
        """Make ``poller`` wake up when :meth:`run` has something to do."""
        self._idl.wait(poller)

    def close(self) -> None:
        """Close the connection."""
        self._idl.close()

    def ofport(self, name: str) -> int | None:
        """The port number of the interface whose iface-id, or else whose name, is ``name``."""
        return self._ofports.get(name)

    def _read(self) -> dict[str, int]:
        by_name: dict[str, int] = {}
        by_iface_id: dict[str, int] = {}
        self.datapath_id = None
        for bridge in self._idl.tables["Bridge"].rows.values():
            if bridge.name != self._bridge:
                continue
            if bridge.datapath_id:
                self.datapath_id = int(bridge.datapath_id[0], 16)
            for port in bridge.ports:
                for interface in port.interfaces:
                    ofport = interface.ofport
                    if not ofport or ofport[0] <= 0:  # not yet there, or -1: failed
                        continue
                    by_name[interface.name] = ofport[0]
                    iface_id = interface.external_ids.get("iface-id")
                    if iface_id:
                        by_iface_id[iface_id] = ofport[0]
        return by_name | by_iface_id

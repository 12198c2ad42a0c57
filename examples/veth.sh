#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A guest without any virtual machine: a network namespace on a bridge of Open vSwitch.
#
#     veth.sh add web br0        # namespace "web"; its eth0 is the port "web" of br0
#     ip netns exec web ip address
#     veth.sh remove web
#
# Run on Debian 12 and 13, by tests/clients/test_examples.py.  Needs root, iproute2, openvswitch-switch
# and udhcpc.
set -eu

usage() { echo "usage: $0 add NAME BRIDGE | remove NAME" >&2; exit 2; }

case "${1-} $#" in
"add 3")
    name=$2 bridge=$3
    ip netns add "$name"
    ip link add "$name" type veth peer name eth0 netns "$name"
    ip link set "$name" up
    ip -n "$name" link set lo up
    ip -n "$name" link set eth0 up
    mac=$(ip netns exec "$name" cat /sys/class/net/eth0/address)
    # attached-mac: only this MAC is served. Without it whoever asks behind the port is.
    ovs-vsctl add-port "$bridge" "$name" -- \
        set interface "$name" external_ids:attached-mac="\"$mac\""
    # The client stays, and renews; its script writes the namespace's own resolv.conf.
    mkdir -p "/etc/netns/$name"
    touch "/etc/netns/$name/resolv.conf"
    ip netns exec "$name" udhcpc -b -i eth0 -S -p "/run/udhcpc-$name.pid"
    ;;
"remove 2")
    name=$2
    ovs-vsctl --if-exists del-port "$name"
    ip netns pids "$name" | xargs -r kill
    ip netns delete "$name"  # and with it both ends of the link
    rm -f "/etc/netns/$name/resolv.conf"
    rmdir "/etc/netns/$name"
    ;;
*) usage ;;
esac

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Open vSwitch on the userspace datapath, with the client's eth0 plugged into br-int.
# The client's first process is process 1 here (`pid: service:client`): that names its network.
set -eu

run=/run/openvswitch
rm -f $run/*  # what an earlier container left in the volume
# The daemon is its own user: the directory and the sockets in it are of its group.
chgrp 6653 $run
chmod 2775 $run
umask 007
mkdir -p /etc/openvswitch
ovsdb-tool create /etc/openvswitch/conf.db /usr/share/openvswitch/vswitch.ovsschema
ovsdb-server --remote=punix:$run/db.sock --pidfile --detach --log-file
ovs-vsctl --no-wait init
ovs-vswitchd --pidfile --detach --log-file
ovs-vsctl add-br br-int -- set bridge br-int datapath_type=netdev

ip link add tap1 type veth peer eth0 address "$CLIENT_MAC" netns 1
ip link set tap1 up
# The userspace datapath would carry veth's unfinished checksums as they are.
ethtool -K tap1 tx off >/dev/null
nsenter --net --target 1 ethtool -K eth0 tx off >/dev/null
ovs-vsctl add-port br-int tap1 -- set interface tap1 "external_ids:iface-id=$CLIENT_PORT"

exec tail -F /var/log/openvswitch/ovs-vswitchd.log

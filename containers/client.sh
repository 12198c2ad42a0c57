#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A guest: waits for its eth0, then asks for an address until it has one.
set -eu

until [ -e /sys/class/net/eth0 ]; do sleep 0.2; done
ip link set eth0 up
exec udhcpc -f -i eth0 -s /client-hook.sh -t 5 -T 1 -A 1

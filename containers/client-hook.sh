#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What udhcpc runs when something happened to its lease.
case $1 in
bound | renew)
    ip address replace "$ip/$mask" dev "$interface"
    ip route replace default via "$router" dev "$interface"
    ;;
deconfig) ip -4 address flush dev "$interface" ;;
esac

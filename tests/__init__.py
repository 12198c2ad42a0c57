# SPDX-License-Identifier: Apache-2.0
"""The project's tests; `tests.lab` is the private Open vSwitch they run on."""

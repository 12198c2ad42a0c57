# SPDX-License-Identifier: Apache-2.0
"""Who has which lease, as far as it is known from what was asked and answered.

No I/O, no clock and no log here: leases are told what happens, and when.
"""

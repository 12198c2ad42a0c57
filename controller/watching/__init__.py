# SPDX-License-Identifier: Apache-2.0
"""What is going on right now: the last exchanges, for who watches.

No I/O, no clock and no log here.
"""

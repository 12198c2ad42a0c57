# SPDX-License-Identifier: Apache-2.0
"""Who is served what, asked in values: no switch, no database, no clock."""

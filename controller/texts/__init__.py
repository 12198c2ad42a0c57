# SPDX-License-Identifier: Apache-2.0
"""What the daemon answers, as values and as people read them."""

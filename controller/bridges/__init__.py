# SPDX-License-Identifier: Apache-2.0
"""What is to be on a bridge, and what is: one bridge at a time."""

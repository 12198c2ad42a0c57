# SPDX-License-Identifier: Apache-2.0
"""What is typed: a module for each command, and what they share."""

# SPDX-License-Identifier: Apache-2.0
"""Side-by-side measurements: `python -m bench` (see docs/benchmark.md)."""

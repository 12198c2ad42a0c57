# SPDX-License-Identifier: Apache-2.0
"""What is distributed: it is built, installed and run."""

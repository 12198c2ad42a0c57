# SPDX-License-Identifier: Apache-2.0
"""Why a port is served, or is not, in values."""

# SPDX-License-Identifier: Apache-2.0
"""Who is told of leases and packets once these are answered, and passes it on."""

# SPDX-License-Identifier: Apache-2.0
"""docker-compose.yml, tried: `make compose-test`."""

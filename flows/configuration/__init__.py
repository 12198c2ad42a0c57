# SPDX-License-Identifier: Apache-2.0
"""From what somebody wrote, in a file or a database, to bindings; each mistake is named."""

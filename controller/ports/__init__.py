# SPDX-License-Identifier: Apache-2.0
"""Who is served what: every rule and every refusal."""

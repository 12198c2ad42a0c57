# SPDX-License-Identifier: Apache-2.0
"""From a request and the userdata of its flow to a verdict: a reply, or silence with a reason."""

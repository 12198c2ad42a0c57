# SPDX-License-Identifier: Apache-2.0
"""What README and the pages in docs/ show to type: it is typed, and does what they say."""

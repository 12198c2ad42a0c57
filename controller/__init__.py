# SPDX-License-Identifier: Apache-2.0
"""What runs: the application, its channel to the switch, the responders, the sources, the CLI."""

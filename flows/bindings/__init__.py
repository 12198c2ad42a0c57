# SPDX-License-Identifier: Apache-2.0
"""What ports may have, as finished values: networks, ports, pools."""

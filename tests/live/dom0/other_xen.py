"""domains.py with the headers of another Xen, as far as their version tells."""

import sys

import domains
from xen_public import sysctl

sysctl.XEN_SYSCTL_INTERFACE_VERSION += 1  # type: ignore[misc]
sys.exit(domains.main())

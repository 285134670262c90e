"""The Xen that the package brings for tests of monitors, for its own."""

from xen_vm_event.testing.fixtures import play_xen, played_xen

__all__ = ["play_xen", "played_xen"]

"""TapNetworkManager, for programs that hand one to VmManager."""

from __future__ import annotations


class TapNetworkManager:
    """Whether a VmManager may give its sandboxes a network. How they get one is pyro's business."""

    def __init__(self, enabled: bool = True) -> None:
        self.enabled = enabled

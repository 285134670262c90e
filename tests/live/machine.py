"""Boot an image under QEMU's software emulation, and read what dom0 reports.

Takes an image of image.py; gives the lines of the results port, as they come.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from live.image import Image

_XEN = "loglvl=all guest_loglvl=all dom0_max_vcpus=1"
_LINUX = "console=hvc0 panic=-1"


class MachineError(Exception):
    """The machine did not come to the end of what it had to do."""


def command(arch: str, image: Image, console: Path, results: Path) -> list[str]:
    """QEMU's arguments for an architecture of Debian's."""
    if arch == "amd64":
        machine = [
            *("qemu-system-x86_64", "-machine", "q35,accel=tcg", "-smp", "2"),
            # Xen runs such a guest with nested paging only; its dom0 dies of emulated SMAP.
            *("-cpu", "EPYC,+svm,+npt,-smap,-monitor"),
            *("-kernel", f"{image.xen}", "-append"),
            f"console=com1 com1=115200,8n1 {_XEN} dom0_mem=1024M,max:1024M cpuidle=0"
            " dom0_vcpus_pin",
            *("-initrd", f"{image.kernel} {_LINUX} earlyprintk=xen,{image.initrd}"),
        ]
    else:
        kernel = f"guest-loader,addr=0x49000000,kernel={image.kernel}"
        machine = [
            *("qemu-system-aarch64", "-cpu", "cortex-a57", "-smp", "1"),
            *("-machine", "virt,virtualization=on,gic-version=3,accel=tcg"),
            *("-kernel", f"{image.xen}", "-append"),
            f"console=dtuart dtuart=/pl011@9000000 {_XEN} dom0_mem=1024M bootscrub=0",
            *("-device", f"{kernel},bootargs={_LINUX} earlycon=xen"),
            *("-device", f"guest-loader,addr=0x4e000000,initrd={image.initrd}"),
        ]
    return [
        *machine,
        *("-m", "4096", "-display", "none", "-monitor", "none", "-nodefaults"),
        *("-no-reboot", "-serial", f"file:{console}"),
        *("-chardev", f"file,id=results,path={results}"),
        *("-device", "pci-serial,chardev=results"),
    ]


def boot(arch: str, image: Image, folder: Path, seconds: float) -> Iterator[str]:
    """The lines that dom0 reports until it powers off, within a time limit.

    The console's log is kept in the folder.  Raises MachineError if the time is over, or
    QEMU fails.
    """
    console, results = folder / "console.log", folder / "results"
    results.touch()
    limit = time.monotonic() + seconds
    log = (folder / "qemu.log").open("w")
    arguments = command(arch, image, console, results)
    with (
        log,
        # The port ends lines by "\r\n", and may be read between the two.
        results.open(encoding="ascii", newline="\n") as lines,
        subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stderr=log) as qemu,
    ):
        try:
            line = ""
            while True:
                ended = qemu.poll() is not None
                line += lines.readline()
                if line.endswith("\n"):
                    yield line
                    line = ""
                elif ended:
                    break
                elif time.monotonic() > limit:
                    raise MachineError(f"not at its end after {seconds:.0f} s")
                else:
                    time.sleep(0.1)
        finally:
            qemu.kill()
    if qemu.returncode:
        raise MachineError(f"QEMU failed: {(folder / 'qemu.log').read_text()}")

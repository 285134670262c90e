"""Boot an image under QEMU's software emulation, and read what dom0 reports."""

from __future__ import annotations

from pathlib import Path

from image import Image

_XEN = "loglvl=all guest_loglvl=all dom0_max_vcpus=1"
_LINUX = "console=hvc0 rdinit=/init panic=-1"


def command(arch: str, image: Image, console: Path, results: Path) -> list[str]:
    """QEMU's arguments for an architecture of Debian's."""
    if arch == "amd64":
        machine = [
            *("qemu-system-x86_64", "-machine", "q35,accel=tcg", "-smp", "2"),
            # Xen needs nested paging to run the guest; its dom0 dies of SMAP under TCG.
            *("-cpu", "EPYC,+svm,+npt,-smap,-monitor"),
            *("-kernel", f"{image.xen}", "-append"),
            f"console=com1 com1=115200,8n1 {_XEN} dom0_mem=1024M,max:1024M cpuidle=0",
            *("-initrd", f"{image.kernel} {_LINUX} earlyprintk=xen,{image.initrd}"),
        ]
    else:
        kernel = f"guest-loader,addr=0x49000000,kernel={image.kernel}"
        machine = [
            *("qemu-system-aarch64", "-cpu", "cortex-a57", "-smp", "1"),
            *("-machine", "virt,virtualization=on,gic-version=3,accel=tcg"),
            *("-kernel", f"{image.xen}", "-append"),
            f"console=dtuart dtuart=/pl011@9000000 {_XEN} dom0_mem=1024M bootscrub=0",
            *("-device", f"{kernel},bootargs={_LINUX}"),
            *("-device", f"guest-loader,addr=0x4e000000,initrd={image.initrd}"),
        ]
    return [
        *machine,
        *("-m", "4096", "-display", "none", "-monitor", "none", "-nodefaults"),
        *("-no-reboot", "-serial", f"file:{console}"),
        *("-chardev", f"file,id=results,path={results}"),
        *("-device", "pci-serial,chardev=results"),
    ]

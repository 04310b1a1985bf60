"""The kernel a chapter's cells run in: this interpreter, no trace in the user's home, gone when its worker is gone.

Run as a module it is the kernel process itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import Unicode

_PR_SET_PDEATHSIG = 1
_LONGEST_SOCKET = 90
"""A socket's path, with a little added to it, must not exceed what Unix allows."""
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class ChapterKernel(AsyncKernelManager):
    """Starts ipykernel with the running interpreter, whatever kernels are installed."""

    scratch = Unicode(help="folder for what Jupyter and IPython would write into the user's home").tag(config=True)

    @property
    def kernel_spec(self) -> KernelSpec:
        """The command and the environment of the kernel."""
        module = [sys.executable, "-P", "-m", "analysis.publish.kernel"]
        arguments = ["-f", "{connection_file}", "--HistoryManager.enabled=False", "--IPKernelApp.log_level=50"]
        return KernelSpec(
            argv=module + arguments, display_name="Python 3", language="python", env=_environment(self.scratch)
        )


def kernel_settings(scratch: str, name: str) -> dict[str, str]:
    """Return the settings of a ChapterKernel that works in the folder ``scratch`` under a ``name`` of its own there."""
    file = Path(scratch) / f"{name}.json"
    # Another kernel may take a port between its choice and its use; a socket in a folder of our own nobody takes.
    transport = "ipc" if len(str(file)) < _LONGEST_SOCKET else "tcp"
    return {"scratch": scratch, "connection_file": str(file), "transport": transport}


def _environment(scratch: str) -> dict[str, str]:
    # The kernel works in another folder, where relative entries would point elsewhere.
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    jupyter = dict.fromkeys(("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"), scratch)
    return {
        **jupyter,
        **dict.fromkeys(_ONE_THREAD, "1"),
        "MPLBACKEND": "Agg",
        "PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in path if entry),
    }


def end_with(parent: int) -> None:
    """Have the system end this process as soon as the process ``parent``, which started it, is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def main() -> None:
    """Be a kernel."""
    end_with(int(os.environ["JPY_PARENT_PID"]))
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance()


if __name__ == "__main__":
    main()

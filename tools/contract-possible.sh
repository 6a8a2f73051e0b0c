#!/bin/sh
# contract-possible.sh VENV UV PYTHON: 0 if the contract tests can run on this machine; else 1, and
# the reason on standard output. What is merely broken is no reason: that must fail, not be skipped.
set -eu
venv=$1 uv=$2 python=$3
need_disk_mb=6000 need_memory_mb=4000

no() {
    echo "$1"
    exit 1
}

# What a program said last, on one line and without an address's password.
last_words() {
    tail -n 3 "$said" | tr -s '[:space:]' ' ' | sed -E 's#://[^/@ ]*@#://#g; s/^ //; s/ $//' |
        cut -c 1-300
}

case "$(uname -s)/$(uname -m)" in
Linux/x86_64) ;;
*) no "vLLM's CPU build is used on Linux on x86-64 only; this is $(uname -s) on $(uname -m)" ;;
esac
grep -qw avx2 "${CPUINFO:-/proc/cpuinfo}" || no "this processor has no AVX2, which vLLM's CPU build needs"
memory_mb=$(awk '/^MemAvailable:/ { print int($2 / 1024) }' "${MEMINFO:-/proc/meminfo}")
[ "$memory_mb" -ge $need_memory_mb ] ||
    no "a server takes 2.5 GB of memory; $memory_mb MB are available, $need_memory_mb are asked for"
[ ! -e "$venv/.installed" ] || exit 0

disk_mb=$(df -Pm "$(dirname "$venv")" | awk 'NR == 2 { print $4 }')
[ "$disk_mb" -ge $need_disk_mb ] ||
    no "the environment takes 2.2 GB and as much again while it is made; $disk_mb MB are free, $need_disk_mb are asked for"
# torch's CPU build is not on the usual index: ask where make-vllm-venv.sh will ask. What is
# fetched here stays in the cache for it.
said=$(mktemp)
trap 'rm -f "$said"' EXIT
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --dry-run \
    --ignore-installed "torch==2.13.0+cpu" >"$said" 2>&1 && exit 0
why="pip: $(last_words)"
"$uv" pip install --quiet --python "$python" --no-deps --dry-run \
    --torch-backend cpu "torch==2.13.0" >"$said" 2>&1 && exit 0
# An index that is away reads differently from one that has no such build: whoever runs this sees
# which it was.
no "torch's CPU build is found neither by this machine's pip nor at its makers' ($why; uv: $(last_words))"

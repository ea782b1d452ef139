# Sourced by the scripts beside it: words on the terminal, packages, jobs, build and test runs.
# shellcheck shell=bash

P2PA_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

say() { printf '== %s\n' "$*"; }

die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "root is needed to run: $* (run it as root, or install sudo)"
  fi
}

# How many compilers run at once: the processors, unless the memory (1 GB each) is for fewer.
jobs_count() {
  local processors gigabytes
  processors="$(nproc)"
  gigabytes="$(awk '/MemAvailable/ {print int($2 / 1000000)}' /proc/meminfo)"
  [ "$gigabytes" -ge 1 ] || gigabytes=1
  echo "$((processors < gigabytes ? processors : gigabytes))"
}

package_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y \
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# install_packages NAME...: those of the packages that are not there yet.
install_packages() {
  local missing=() name
  for name in "$@"; do
    package_installed "$name" || missing+=("$name")
  done
  if [ "${#missing[@]}" -eq 0 ]; then
    say "all $# packages are there"
    return
  fi
  say "installing ${#missing[@]} of $# packages: ${missing[*]}"
  apt_get update || say "some package lists could not be renewed; going on with those that are here"
  apt_get install --no-install-recommends "${missing[@]}" >/dev/null
}

# configure_and_build PRESET [cmake --build arguments]: in build/PRESET.
configure_and_build() {
  local preset="$1"
  shift
  cd "$P2PA_ROOT" || exit 1
  say "configuring build/$preset"
  cmake --preset "$preset" >/dev/null || return 1
  say "building build/$preset with $(jobs_count) jobs"
  cmake --build "build/$preset" --parallel "$(jobs_count)" "$@"
}

# run_ctest PRESET [ctest arguments]: sets passed, failed and skipped.
run_ctest() {
  local preset="$1" results="$P2PA_ROOT/build/$1/results.xml"
  shift
  rm -f "$results"
  ctest --test-dir "$P2PA_ROOT/build/$preset" --parallel "$(jobs_count)" --timeout 300 --output-on-failure \
    --output-junit "$results" "$@" || true
  passed=0 failed=1 skipped=0
  if [ -f "$results" ]; then
    read -r passed failed skipped < <(python3 "$P2PA_ROOT/scripts/ctest_summary.py" "$results")
  fi
}

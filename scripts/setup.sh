# Shared by the other scripts, which source it: installs what the build needs and is missing, and
# builds a release product when a source is newer than the last build of it.
# shellcheck shell=bash

root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
scratch=$root/.build

complain() {
  printf 'strata: %s\n' "$*" >&2
}

# Installs the Debian packages that are missing. Only looks at files when all are there, so that it
# costs next to nothing on every start but the first.
install_packages() {
  local missing=("$@")
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  [[ -e /usr/include/readline/readline.h ]] || missing+=(libreadline-dev)
  [[ -e /usr/include/lua5.4/lua.h ]] || missing+=(liblua5.4-dev)
  [[ -e /usr/include/sqlite3.h ]] || missing+=(libsqlite3-dev)
  if ((${#missing[@]} > 0)); then
    local as_root=()
    if ((EUID != 0)); then
      if ! command -v sudo >/dev/null; then
        complain "install these packages first: ${missing[*]} (there is no sudo to do it with)"
        return 69
      fi
      as_root=(sudo)
    fi
    complain "installing ${missing[*]}"
    mkdir -p -- "$scratch"
    quietly "$scratch/packages.log" "${as_root[@]}" apt-get update
    quietly "$scratch/packages.log" "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get install -y --no-install-recommends "${missing[@]}"
  fi
  if ! command -v swift >/dev/null; then
    complain "there is no 'swift' on the PATH; see https://www.swift.org/install/linux/"
    return 69
  fi
}

# quietly LOG COMMAND…: keeps the command's output in LOG and shows it only when the command fails.
quietly() {
  local log=$1 status=0
  shift
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status != 0)); then
    cat -- "$log" >&2
    complain "failed: $*"
    return "$status"
  fi
}

# build_release PRODUCT SOURCE…: builds it unless nothing under the sources is newer than its stamp.
# Sets `binary` to the program's path. A removed file counts, because its directory is newer.
build_release() {
  local product=$1 started
  shift
  binary=$scratch/release/$product
  local stamp=$scratch/$product.stamp
  if [[ -x $binary && -e $stamp ]] &&
    [[ -z $(find "$root/Package.swift" "$@" -newer "$stamp" -print -quit) ]]; then
    return 0
  fi
  install_packages
  mkdir -p -- "$scratch"
  complain "building $product (minutes at first, seconds after that) …"
  # Made before the build: a source saved during it is then newer, and is built the next time.
  started=$(mktemp -- "$scratch/$product.started.XXXXXX")
  if ! quietly "$scratch/$product.log" swift build --package-path "$root" \
    --scratch-path "$scratch" -c release --product "$product" --static-swift-stdlib; then
    rm -f -- "$started"
    return 1
  fi
  mv -f -- "$started" "$stamp"
}

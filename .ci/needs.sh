# shellcheck shell=bash
# What steps of CI need on this machine. For `source`; each function does nothing if it is there already.

# debian COMMAND PACKAGES WHY: installs Debian's packages unless there is such a command.
debian() {
  local command=$1 packages=$2 why=$3 as_root=()
  if command -v "$command" >/dev/null 2>&1; then
    return
  fi
  echo "$command is missing: $why; installing Debian's $packages" >&2
  [ "$(id -u)" = 0 ] || as_root=(sudo)
  "${as_root[@]}" apt-get update -q
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -q --no-install-recommends $packages
}

# pypi NAME PACKAGES: target/NAME/bin has these packages of PyPI (each with its version), and no others.
pypi() {
  local folder=target/$1 packages=$2
  if [ "$(cat "$folder/packages" 2>/dev/null)" = "$packages" ]; then
    return
  fi
  python3 -m venv --clear "$folder"
  # shellcheck disable=SC2086
  "$folder/bin/pip" install --quiet --disable-pip-version-check $packages
  echo "$packages" >"$folder/packages"
}

# Sourced by scripts/play and scripts/test: makes this checkout ready to run on Debian or Ubuntu, once.
# Needs Python 3.11 or newer; everything else is installed. A second call finds its stamp and returns in a few milliseconds.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
venv="$root/.venv"

# Mesa's EGL and OpenGL for headless and software rendering, and what the GLFW wheels open by name at run time.
run_packages=(
  libegl1 libgl1 libgl1-mesa-dri
  libx11-6 libx11-xcb1 libxcursor1 libxext6 libxi6 libxinerama1 libxrandr2 libxrender1 libxxf86vm1
  libwayland-client0 libwayland-cursor0 libwayland-egl1 libxkbcommon0
)

say() { printf 'afterimage: %s\n' "$*" >&2; }

# Prints those of the named packages which are not installed.
missing_packages() {
  local have
  have=$(dpkg-query --show --showformat='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  local package
  for package in "$@"; do
    case $'\n'"$have"$'\n' in *$'\n'"$package installed"$'\n'*) ;; *) printf '%s\n' "$package" ;; esac
  done
}

# Runs a command as root: directly, or by sudo where there is one that can be used without a terminal or with ours.
as_root() {
  if [[ $EUID -eq 0 ]]; then
    "$@"
  elif command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; then
    sudo "$@"
  else
    return 1
  fi
}

apt_install() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq)
  as_root "${apt[@]}" update >/dev/null && as_root "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null
}

# Installs the system packages named, when any is missing. Goes on without them: they may be here under another name.
need_packages() {
  if ! command -v dpkg-query >/dev/null; then
    say "this is not Debian or Ubuntu; install EGL, OpenGL and X11 client libraries by hand if the picture does not start"
    return 0
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  [[ ${#missing[@]} -gt 0 ]] || return 0
  say "installing system packages: ${missing[*]}"
  apt_install "${missing[@]}" || say "could not install them; if something is missing below, run: sudo apt-get install ${missing[*]}"
}

# Prints the first Python of 3.11 or newer: $PYTHON if set, else python3, else a numbered one.
find_python() {
  local candidate
  for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  say "needs Python 3.11 or newer and found none; install it (sudo apt-get install python3 python3-venv) or set PYTHON=/path/to/python3"
  return 1
}

# Debian keeps ensurepip, which a virtual environment begins with, in a package of its own.
need_ensurepip() {
  local python=$1 version
  "$python" -c 'import ensurepip' 2>/dev/null && return 0
  version=$("$python" -c 'import sys; print(f"python{sys.version_info[0]}.{sys.version_info[1]}")')
  say "installing $version-venv"
  apt_install "$version-venv" || apt_install python3-venv || true
  "$python" -c 'import ensurepip' 2>/dev/null && return 0
  say "this Python cannot make virtual environments; run: sudo apt-get install $version-venv"
  return 1
}

make_venv() {
  [[ -x $venv/bin/python && -x $venv/bin/pip ]] && return 0
  local python
  python=$(find_python)
  need_ensurepip "$python"
  say "making a virtual environment in .venv with $("$python" --version)"
  "$python" -m venv --clear "$venv"
}

has_nvidia() {
  [[ -e /dev/nvidia0 || -e /proc/driver/nvidia/version ]] || command -v nvidia-smi >/dev/null
}

# install_once NAME COMMAND...: runs COMMAND in a complete environment unless it already ran for this pyproject.toml, here.
install_once() {
  local stamp="$venv/.installed-$1" key
  shift
  key="$(sha256sum <"$root/pyproject.toml") $root $*"
  [[ -x $venv/bin/python && -f $stamp && $(<"$stamp") == "$key" ]] && return 0
  make_venv
  "$@"
  printf '%s' "$key" >"$stamp"
}

pip_install() {
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
}

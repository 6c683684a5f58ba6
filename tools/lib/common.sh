# Sourced by the tools, in the workspace's root.

# Debian's Bazel, whatever else the PATH holds. EGRET_BAZEL_STARTUP adds start-up options, e.g.
# --output_base=DIR for a second build beside a running one.
bazel() {
  local binary=/usr/bin/bazel
  [ -x "$binary" ] || binary=bazel
  # shellcheck disable=SC2086
  command "$binary" ${EGRET_BAZEL_STARTUP:-} "$@"
}

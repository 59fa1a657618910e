#!/bin/sh
# Runs the program of this name inside the root beside it. Only this process sees what is mounted there, and it goes with it.
here=$(dirname "$(readlink -f "$0")")
name=${0##*/}
case $name in
  rabbitmq*) program=/usr/lib/rabbitmq/bin/$name ;; # Those on the PATH switch users.
  *) program=/usr/bin/$name ;;
esac
exec unshare --mount --propagation private sh -c '
  root=$0
  for folder in /proc /dev /tmp "${TMPDIR:-/tmp}"; do
    mkdir -p "$root$folder" && mount --rbind "$folder" "$root$folder" || exit
  done
  exec chroot "$root" sh -c "cd \"\$0\" 2>/dev/null; exec \"\$@\"" "$PWD" "$@"
' "$here/root" "$program" "$@"

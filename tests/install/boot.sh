#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: boot.sh TREE
# Becomes systemd in TREE; started by debian.sh as the first process of new namespaces.
set -eu
tree=$1
mount --make-rprivate /
mount --bind "$tree" "$tree"
mount -t proc proc "$tree/proc"
mount -t sysfs sysfs "$tree/sys"
mount -t cgroup2 none "$tree/sys/fs/cgroup"
for folder in run tmp dev; do
    mount -t tmpfs none "$tree/$folder"
done
for device in 'null 3' 'zero 5' 'full 7' 'random 8' 'urandom 9'; do
    mknod -m 666 "$tree/dev/${device% *}" c 1 "${device#* }"
done
mknod -m 666 "$tree/dev/tty" c 5 0
ln -s pts/ptmx "$tree/dev/ptmx"
mkdir "$tree/dev/shm"
cd "$tree"
pivot_root . mnt
umount -l /mnt
# as outside of containers: credentials reach their services so
mount --make-rshared /
exec env -i container=tree PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --unit=multi-user.target --show-status=0

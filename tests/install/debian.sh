#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: debian.sh SOURCE-FOLDER
# Builds the package twice and lives with it in a bare Debian 12: installs, starts, upgrades, removes
# and purges it there, under systemd where this machine lets it run.  Needs root, debootstrap and a
# Debian archive (MIRROR).  Prints TAP.
set -u
PATH=$PATH:/usr/sbin:/sbin
MIRROR=${MIRROR:-http://deb.debian.org/debian}
here=$(dirname "$(realpath "$0")")
source=$(realpath "$1")

skip() {
    echo "1..0 # SKIP $*"
    exit 0
}
[ "$(id -u)" = 0 ] || skip "only root can make a tree of Debian"
for tool in debootstrap dpkg-shlibdeps unshare nsenter; do
    command -v $tool >/dev/null || skip "there is no $tool: tools/setup.sh dist"
done
if [ -z "${ANTIGONE_OWN_MOUNTS:-}" ]; then
    unshare --mount true 2>/dev/null || skip "this machine grants no mount namespace"
    # what is mounted from here on goes with this process
    ANTIGONE_OWN_MOUNTS=1 exec unshare --mount --propagation private "$0" "$@"
fi
python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1], timeout=30)' \
    "$MIRROR/dists/bookworm/Release" 2>/dev/null || skip "$MIRROR cannot be reached"

scratch=$(mktemp -d)
tree=$scratch/tree
group=$scratch/cgroup/antigone-test-$$
init=
n=0
bad=0
export SOURCE_DATE_EPOCH=1790000000 CCACHE_DISABLE=1

clean() {
    halt
    # with what systemd made below it
    find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
    umount "$tree/proc" "$scratch/cgroup" 2>/dev/null
    rm -rf --one-file-system "$scratch"
}
trap clean EXIT

say() {
    n=$((n + 1))
    echo "$1 $n - $2"
}
check() {
    local name=$1
    shift
    if "$@" >"$scratch/log" 2>&1; then
        say ok "$name"
    else
        say "not ok" "$name"
        tail -n 60 "$scratch/log" | sed 's/^/# /'
        bad=1
    fi
}
# what needs systemd as the first process
check_booted() {
    if [ -n "$init" ]; then
        check "$@"
    else
        say ok "$1 # SKIP systemd cannot run in a tree here"
    fi
}

# ---- the tree ----

clear_environment() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
        DEBIAN_FRONTEND=noninteractive ANTIGONE_STORE=/var/lib/antigone \
        ${http_proxy:+http_proxy=$http_proxy} "$@"
}
inside() {
    if [ -n "$init" ]; then
        clear_environment nsenter -t "$init" -m -p -i -u -n -C -r -w "$@"
    else
        clear_environment chroot "$tree" "$@"
    fi </dev/null
}
as_keeper() {
    inside runuser -u antigone -- env ANTIGONE_PASSWORD_FILE=/var/tmp/word \
        ANTIGONE_PASSPHRASE_FILE=/var/tmp/word "$@"
}
# systemd as the first process of namespaces of its own, in a control group of its own
boot() {
    mkdir "$scratch/cgroup" && mount -t cgroup2 none "$scratch/cgroup" && mkdir "$group" || return 1
    umount "$tree/proc"
    sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec unshare --mount --pid --fork --kill-child \
        --cgroup --ipc --uts --net "$@"' sh "$group" "$here/boot.sh" "$tree" \
        >"$scratch/boot.log" 2>&1 </dev/null &
    for _ in $(seq 100); do
        # the child of unshare, once it is systemd
        init=$(pgrep -P "$!" -f '^/lib/systemd/systemd' | head -n 1)
        [ -n "$init" ] && inside systemctl is-system-running 2>/dev/null |
            grep -qE 'running|degraded' && return 0
        sleep 0.3
    done
    halt
    return 1
}
halt() {
    [ -z "$init" ] && return
    kill -9 "$init"
    wait
    init=
    mount -t proc proc "$tree/proc"
}

# ---- what is checked ----

builds() {
    local folder
    for folder in "$scratch/a" "$scratch/somewhere/else/b"; do
        mkdir -p "$folder/source"
        (cd "$source" && git ls-files -z --cached --others --exclude-standard |
            tar --null -T - --ignore-failed-read -c) | tar -x -C "$folder/source"
        "$folder/source/tools/dist.sh" "$folder" || return 1
    done
}
are_equal() {
    sha256sum "$scratch"/a/*.deb "$scratch"/somewhere/else/b/*.deb
    cmp "$scratch"/a/*.deb "$scratch"/somewhere/else/b/*.deb &&
        cmp "$scratch"/a/*.spdx.json "$scratch"/somewhere/else/b/*.spdx.json
}
builds_a_higher_version() {
    "$scratch/a/source/tools/dist.sh" --build "$scratch/a/source/build-dist" \
        --version 0.1.0-2 "$scratch/two"
}
makes_a_tree() {
    debootstrap --variant=minbase bookworm "$tree" "$MIRROR" &&
        cp /etc/resolv.conf "$tree/etc/" && mount -t proc proc "$tree/proc" &&
        cp "$scratch"/a/*.deb "$tree/var/tmp/one.deb" &&
        cp "$scratch"/two/*.deb "$tree/var/tmp/two.deb" &&
        inside apt-get update -q
}
installs() {
    inside apt-get install -y -q --no-install-recommends "/var/tmp/$1.deb"
}
runs() {
    inside antigone version && inside antigone doctor
}
identifies() {
    inside antigone identify /usr/share/antigone/examples/boat.json | tee /dev/stderr |
        grep -q 'Boat accident K1'
}
has_user_and_folder() {
    [ "$(inside stat -c '%U:%G %a' /var/lib/antigone)" = "antigone:antigone 700" ] &&
        [ "$(inside ls /etc/systemd/system/multi-user.target.wants | grep -c antigone)" = 2 ]
}
# docs/install.md, section 3
keeper_makes_a_store() {
    echo 'a ferry at anchor before dawn' >"$tree/var/tmp/word"
    inside chown antigone /var/tmp/word
    inside chmod 600 /var/tmp/word
    as_keeper antigone init anna --site K3 --agency "Institute K3" &&
        inside install -d -m 700 -o antigone /run/antigone-setup &&
        as_keeper antigone keys add /run/antigone-setup/key --plain-key --keeper "this machine" &&
        inside install -d -m 700 /etc/credstore.encrypted &&
        inside systemd-creds encrypt --name=antigone-key /run/antigone-setup/key \
            /etc/credstore.encrypted/antigone-key &&
        inside rm -r /run/antigone-setup
}
are_active() {
    for _ in $(seq 50); do
        inside systemctl is-active antigone antigone-match >/dev/null && return
        sleep 0.2
    done
    inside systemctl --no-pager -l status antigone antigone-match
    return 1
}
answers() {
    local python='import ssl, sys, urllib.request as u
c = ssl.create_default_context(cadata=open(sys.argv[1]).read())
print(u.urlopen("https://localhost:8443/health", timeout=20, context=c).read())'
    are_active && clear_environment nsenter -t "$init" -n python3 -c "$python" \
        "$tree/var/lib/antigone/tls/ca.pem"
}
reads_its_certificate_again() {
    inside systemctl reload antigone && sleep 0.5 && are_active
}
worker_has_its_walls() {
    local folder=/run/systemd/system/antigone.service.d
    inside sh -c "mkdir -p $folder && printf '%s\n' '[Service]' Environment=LC_ALL=C.UTF-8 \
        'ExecStartPre=/usr/bin/antigone doctor' >$folder/doctor.conf && systemctl daemon-reload &&
        systemctl restart antigone"
    inside journalctl --no-pager -u antigone -o cat | tee /dev/stderr |
        grep -q 'its own: users, network, files, shared memory, processes' &&
        inside journalctl --no-pager -u antigone -o cat | grep -q 'Holds in the worker' || return 1
    inside sh -c "rm -r $folder && systemctl daemon-reload && systemctl restart antigone"
}
upgrades() {
    local before=
    [ -z "$init" ] || before=$(inside systemctl show -P MainPID antigone antigone-match)
    installs two && inside dpkg-query -W antigone | grep -q '0\.1\.0-2$' || return 1
    [ -z "$init" ] && return
    are_active && [ "$(inside systemctl show -P MainPID antigone antigone-match)" != "$before" ]
}
cases_open() {
    as_keeper antigone match --quiet
}
leaves_only_the_cases() {
    local files file
    files=$(inside dpkg -L antigone)
    inside apt-get remove -y -q antigone || return 1
    while read -r file; do
        if [ -f "$tree$file" ] || [ -L "$tree$file" ]; then
            echo "still there: $file"
            return 1
        fi
    done < <(grep -vE '^/(lib|bin|sbin)?$' <<<"$files")
    if [ -n "$init" ] && pgrep -a --ns "$init" --nslist pid antigone; then
        return 1
    fi
    [ -s "$tree/var/lib/antigone/antigone.db" ]
}
purge_says_what_stays() {
    inside dpkg --purge antigone | tee "$scratch/said"
    grep -q 'The cases in /var/lib/antigone stay' "$scratch/said" &&
        [ -s "$tree/var/lib/antigone/antigone.db" ] && [ -s "$tree/var/lib/antigone/key" ] &&
        [ -s "$tree/etc/credstore.encrypted/antigone-key" ] && inside id antigone &&
        ! find "$tree/etc/systemd/system" -name 'antigone*' | grep .
}
comes_back() {
    installs two && cases_open || return 1
    [ -z "$init" ] || are_active
}

check "the package builds in two folders, without a cache" builds
check "both builds have the same bytes" are_equal
check "a higher version builds" builds_a_higher_version
check "a bare Debian 12 is made" makes_a_tree
[ $bad = 0 ] || { echo "1..$n"; exit 1; }
check "apt installs the package and what it needs" installs one
check "the program runs there, and finds all that it needs" runs
check "it identifies a small operation" identifies
check "there is a user with a folder that is closed to others, and both units are enabled" \
    has_user_and_folder
check "the keeper makes a store and seals the machine's key, as docs/install.md says" \
    keeper_makes_a_store
boot
check_booted "service and matcher start with the sealed key" are_active
check_booted "the service answers over HTTPS under its own authority" answers
check_booted "a reload keeps it running" reads_its_certificate_again
check_booted "under the unit the worker builds all of its walls" worker_has_its_walls
check "an upgrade exchanges the program, and starts the services again" upgrades
check "the cases open after it" cases_open
check "a removal takes every file, stops the services and leaves the cases" leaves_only_the_cases
check "a purge leaves the cases, and says so" purge_says_what_stays
check "installed again, it opens the same cases" comes_back
echo "1..$n"
exit $bad

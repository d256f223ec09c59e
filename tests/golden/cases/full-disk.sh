# A full disk is reported with exit code 4.
antigone version >/dev/full

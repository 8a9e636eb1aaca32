#!/usr/bin/env bash
# Tries: a link to a file of the host in the driver's place
# Exercise: heartbeat-lock
# Expected: intake
# Says: symbolic link
set -eu
mkdir "$1"
ln -s /etc/passwd "$1/beatmon.c"

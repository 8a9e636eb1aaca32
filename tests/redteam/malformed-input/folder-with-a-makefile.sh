#!/usr/bin/env bash
# Tries: a Kbuild of its own beside the driver
# Exercise: heartbeat-lock
# Expected: intake
set -eu
mkdir "$1"
cp "$2/exercises/heartbeat-lock/handout/beatmon.c" "$1"
printf 'obj-m += beatmon.o\n$(shell touch /tmp/klinic-was-here)\n' >"$1/Kbuild"

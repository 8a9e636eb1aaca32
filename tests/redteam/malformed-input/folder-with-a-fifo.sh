#!/usr/bin/env bash
# Tries: a pipe in the driver's place, which nobody writes
# Exercise: heartbeat-lock
# Expected: intake
set -eu
mkdir "$1"
mkfifo "$1/beatmon.c"

#!/usr/bin/env bash
# Tries: a patch in gzip
# Exercise: heartbeat-lock
# Expected: intake
set -eu
printf '%s\n' '--- a/beatmon.c' | gzip >"$1"

#!/usr/bin/env bash
# Tries: one line of 100 MB
# Exercise: heartbeat-lock
# Expected: intake
set -eu
printf '%s' '--- a/beatmon.c' >"$1"
truncate -s 100M "$1"
printf '\n' >>"$1"

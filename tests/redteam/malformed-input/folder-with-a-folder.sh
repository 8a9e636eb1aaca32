#!/usr/bin/env bash
# Tries: a folder in the driver's place
# Exercise: heartbeat-lock
# Expected: intake
set -eu
mkdir -p "$1/beatmon.c/beatmon.c"

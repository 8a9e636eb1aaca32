#!/usr/bin/env bash
# Tries: a sparse file of a terabyte
# Exercise: heartbeat-lock
# Expected: intake
set -eu
truncate -s 1T "$1"

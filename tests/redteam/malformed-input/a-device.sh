#!/usr/bin/env bash
# Tries: the submission itself is an endless device
# Exercise: heartbeat-lock
# Expected: usage
set -eu
ln -s /dev/zero "$1"

#!/usr/bin/env bash
# Tries: the submission itself is a pipe that nobody writes
# Exercise: heartbeat-lock
# Expected: usage
set -eu
mkfifo "$1"

#!/usr/bin/env bash
# Tries: a loop of links beside the driver
# Exercise: heartbeat-lock
# Expected: intake
set -eu
mkdir "$1"
cp "$2/exercises/heartbeat-lock/handout/beatmon.c" "$1"
ln -s . "$1/loop"

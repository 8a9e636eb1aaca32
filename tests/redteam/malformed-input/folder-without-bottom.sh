#!/usr/bin/env bash
# Tries: folders in folders, two hundred deep
# Exercise: heartbeat-lock
# Expected: intake
set -eu
mkdir "$1"
cp "$2/exercises/heartbeat-lock/handout/beatmon.c" "$1"
mkdir -p "$1/$(printf 'd/%.0s' {1..200})"

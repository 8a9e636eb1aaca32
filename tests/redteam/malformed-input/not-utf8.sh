#!/usr/bin/env bash
# Tries: bytes of no character set, and escapes for a terminal, where a refusal would quote them
# Exercise: heartbeat-lock
# Expected: intake
set -eu
printf -- '--- a/\377\033]0;x\007\200.c\n+++ b/\377\033[2J\200.c\n@@ -1 +1 @@\n-x\n+y\n' >"$1"

#!/usr/bin/env bash
# Tries: NUL bytes behind which a diff stands
# Exercise: heartbeat-lock
# Expected: intake
set -eu
printf 'a\0b\n--- a/beatmon.c\n+++ b/beatmon.c\n@@ -1 +1 @@\n-x\n+y\n' >"$1"

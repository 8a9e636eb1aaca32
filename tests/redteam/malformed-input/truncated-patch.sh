#!/usr/bin/env bash
# Tries: ends in the middle of a hunk
# Exercise: heartbeat-lock
# Expected: intake
set -eu
cat >"$1" <<'END'
--- a/beatmon.c
+++ b/beatmon.c
@@ -1,40 +1,40 @@
 // SPDX-License-Identifier: GPL-2.0
-/*
END

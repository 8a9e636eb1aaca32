#!/usr/bin/env bash
# Tries: a hunk whose counts run over its end
# Exercise: heartbeat-lock
# Expected: intake
set -eu
cat >"$1" <<'END'
--- a/beatmon.c
+++ b/beatmon.c
@@ -1,4000000000 +1,2 @@
 // SPDX-License-Identifier: GPL-2.0
-/*
+/**
END

#!/usr/bin/env bash
# Tries: an absolute path
# Exercise: heartbeat-lock
# Expected: intake
set -eu
cat >"$1" <<'END'
--- /etc/passwd
+++ /etc/passwd
@@ -1,2 +1,2 @@
 // SPDX-License-Identifier: GPL-2.0
-/*
+/**
END

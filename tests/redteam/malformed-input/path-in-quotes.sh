#!/usr/bin/env bash
# Tries: a path in git's quotes, with ".." in octal
# Exercise: heartbeat-lock
# Expected: intake
set -eu
cat >"$1" <<'END'
--- "a/\056\056/\056\056/tmp/x"
+++ "b/\056\056/\056\056/tmp/x"
@@ -1,2 +1,2 @@
 // SPDX-License-Identifier: GPL-2.0
-/*
+/**
END

#!/usr/bin/env bash
# Tries: a path that climbs to hidden/
# Exercise: heartbeat-lock
# Expected: intake
set -eu
cat >"$1" <<'END'
--- a/../hidden/checks/stuck.c
+++ b/../hidden/checks/stuck.c
@@ -1,2 +1,2 @@
 // SPDX-License-Identifier: GPL-2.0
-/*
+/**
END

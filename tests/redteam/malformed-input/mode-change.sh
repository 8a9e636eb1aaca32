#!/usr/bin/env bash
# Tries: makes the driver executable
# Exercise: heartbeat-lock
# Expected: intake
set -eu
cat >"$1" <<'END'
diff --git a/beatmon.c b/beatmon.c
old mode 100644
new mode 100755
END

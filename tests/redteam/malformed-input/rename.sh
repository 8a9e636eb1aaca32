#!/usr/bin/env bash
# Tries: renames the driver over Kbuild
# Exercise: heartbeat-lock
# Expected: intake
set -eu
cat >"$1" <<'END'
diff --git a/beatmon.c b/Kbuild
similarity index 100%
rename from beatmon.c
rename to Kbuild
END

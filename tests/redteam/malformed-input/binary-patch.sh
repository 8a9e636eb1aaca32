#!/usr/bin/env bash
# Tries: a binary patch that blows up
# Exercise: heartbeat-lock
# Expected: intake
set -eu
cat >"$1" <<'END'
diff --git a/beatmon.c b/beatmon.c
index 1111111..2222222 100644
GIT binary patch
literal 4000000000
zcmV-

END

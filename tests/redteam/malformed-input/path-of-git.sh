#!/usr/bin/env bash
# Tries: a hook of git
# Exercise: heartbeat-lock
# Expected: intake
set -eu
cat >"$1" <<'END'
diff --git a/.git/hooks/post-applypatch b/.git/hooks/post-applypatch
new file mode 100755
--- /dev/null
+++ b/.git/hooks/post-applypatch
@@ -0,0 +1 @@
+#!/bin/sh
END

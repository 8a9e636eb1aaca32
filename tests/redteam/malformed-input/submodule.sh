#!/usr/bin/env bash
# Tries: adds a submodule
# Exercise: heartbeat-lock
# Expected: intake
set -eu
cat >"$1" <<'END'
diff --git a/x b/x
new file mode 160000
index 0000000..1111111
--- /dev/null
+++ b/x
@@ -0,0 +1 @@
+Subproject commit 1111111111111111111111111111111111111111
END

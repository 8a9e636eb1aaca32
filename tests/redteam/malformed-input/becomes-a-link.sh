#!/usr/bin/env bash
# Tries: makes the driver a link to a file of the host
# Exercise: heartbeat-lock
# Expected: intake
set -eu
cat >"$1" <<'END'
diff --git a/beatmon.c b/beatmon.c
deleted file mode 100644
--- a/beatmon.c
+++ /dev/null
diff --git a/beatmon.c b/beatmon.c
new file mode 120000
--- /dev/null
+++ b/beatmon.c
@@ -0,0 +1 @@
+/etc/passwd
\ No newline at end of file
END

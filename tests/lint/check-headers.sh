#!/usr/bin/env bash
# Every header compiles alone.
set -u
cd "$(dirname "$0")/../.."
bad=0
n=0
for h in include/klinic/*.h $(ls runner/*/*.h graders/*.h tests/*/*.h 2>/dev/null); do
	n=$((n + 1))
	case $h in
	include/*) inc="<${h#include/}>" ;;
	runner/*) inc="\"${h#runner/}\"" ;;
	*) inc="\"$h\"" ;;
	esac
	echo "#include $inc" | gcc -std=gnu11 -D_GNU_SOURCE -DKL_GUEST -DKL_ORACLE -Wall -Wextra -Werror \
		-Iinclude -Irunner -I. -xc -fsyntax-only - || { echo "$h does not compile alone"; bad=1; }
done
[ "$bad" = 0 ] && echo "headers: $n compile alone"
exit "$bad"

# What the command's tests share: a cache, a content folder and a folder of their own each.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
klinic=${KLINIC:-$top/build/klinic}
golden=$top/tests/golden

setup() {
	work=$(mktemp -d "${BATS_TMPDIR:-/tmp}/klinic-cli.XXXXXX")
	export TMPDIR=$work/tmp XDG_CACHE_HOME=$work/cache XDG_CONFIG_HOME=$work/config KLINIC_ROOT=$work/root
	mkdir -p "$TMPDIR" "$KLINIC_ROOT/exercises"
	ln -s "$top/rubrics" "$top/broken-kernels" "$top/include" "$top/runner" "$KLINIC_ROOT/"
	cp -r "$here/exercises/swap" "$KLINIC_ROOT/exercises/"
	export LC_ALL=C.UTF-8
	unset NO_COLOR KLINIC_QEMU KLINIC_SOURCE GIT_DIR GIT_WORK_TREE
	cd "$work" || return 1
}

teardown() {
	cd /
	chmod -R u+w "$work"
	rm -rf "$work"
}

# run_split COMMAND …: status, $out and $err apart.
run_split() {
	status=0
	"$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
	out=$(cat "$work/out")
	err=$(cat "$work/err")
}

# On a terminal: both streams together in $output, as somebody at it would get them.
run_on_terminal() {
	run env TERM=xterm script -qec "$*" /dev/null
}

expect_status() {
	[ "$status" -eq "$1" ] || {
		echo "exit $status where $1 was expected: $out $err $output"
		return 1
	}
}

# One sentence on stderr, nothing on stdout.
expect_complaint() { # STATUS PART
	expect_status "$1" || return 1
	[ -z "$out" ] || { echo "stdout is not empty: $out"; return 1; }
	[ "$(wc -l <"$work/err")" -eq 1 ] || { echo "not one line: $err"; return 1; }
	case $err in
	"klinic: "*"$2"*) ;;
	*) echo "“$2” is not in: $err"; return 1 ;;
	esac
}

# bats looks at the last command of a test only when it is negated with “!”: this fails anywhere.
refute() {
	if "$@"; then
		echo "should have failed: $*"
		return 1
	fi
}

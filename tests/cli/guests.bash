# What the files that boot guests share.
use_users_cache() {
	if [ -n "$KLINIC_USER_CACHE" ]; then
		export XDG_CACHE_HOME=$KLINIC_USER_CACHE
	else
		unset XDG_CACHE_HOME
	fi
}

nothing_left() {
	[ -z "$(ls -A "$TMPDIR")" ] || { ls -RA "$TMPDIR"; return 1; }
}

# Guests of ours are told from others' by the file that names our TMPDIR or by their parent.
guests_of() { # PID
	pgrep -P "$1" -f qemu-system || true
}

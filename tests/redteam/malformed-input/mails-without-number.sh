#!/usr/bin/env bash
# Tries: a mailbox of thousands of messages
# Exercise: heartbeat-lock
# Expected: intake
set -eu
for ((i = 0; i < 5000; i++)); do
	printf 'From %040d Mon Sep 17 00:00:00 2001\nFrom: a <a@b>\nSubject: [PATCH] %d\n\n---\n\n' "$i" "$i"
done >"$1"

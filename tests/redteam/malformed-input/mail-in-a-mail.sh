#!/usr/bin/env bash
# Tries: a message whose parts hold messages, without end
# Exercise: heartbeat-lock
# Expected: intake
set -eu
{
	printf 'From 0 Mon Sep 17 00:00:00 2001\nFrom: a <a@b>\nSubject: x\nMIME-Version: 1.0\n'
	for ((i = 0; i < 3000; i++)); do printf 'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' "$i" "$i"; done
} >"$1"

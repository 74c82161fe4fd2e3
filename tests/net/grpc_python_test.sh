#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Debian's grpcio belongs to Debian's Python, whichever one comes first on PATH.
exec /usr/bin/python3 "$1" "$2"

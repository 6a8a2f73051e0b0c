#!/bin/sh
# What the tests start for themselves, from Debian's packages, where it is missing.
set -eu
PATH=$PATH:/usr/sbin:/usr/local/sbin
missing=
for pair in redis-server:redis-server mosquitto:mosquitto mosquitto_passwd:mosquitto \
    ffmpeg:ffmpeg chromium:chromium; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || case " $missing " in
        *" ${pair#*:} "*) ;;
        *) missing="$missing ${pair#*:}" ;;
    esac
done
# Debian keeps PostgreSQL's programs out of PATH, in a folder per version.
command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 ||
    missing="$missing postgresql"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    sudo=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    sudo="sudo -n"
else
    echo "The tests need:$missing"
    echo "Neither root nor sudo without a password is at hand. Please run:"
    echo "    apt-get install$missing"
    exit 1
fi
command -v apt-get >/dev/null 2>&1 || {
    echo "The tests need:$missing, and there is no apt-get to install them with."
    exit 1
}
echo "Installing for the tests:$missing"
$sudo apt-get update -qq
# Debian would start the servers as services; the tests start their own.
$sudo env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends $missing >/dev/null

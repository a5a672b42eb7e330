#!/bin/sh
# Fetches the databases that the default configuration looks for, by the package clients that this
# machine has; without them, or without a network, it says so and the agent works without countries.
#   country.mmdb   countries by registry data, CC0: an npm package
#   libloc         countries, networks and flags (IPFire Location, CC BY-SA 4.0): a Debian package
#   geo.sh [--refresh] [DIRECTORY]    default /var/lib/outergate/geo; what is there stays
#   geo.sh --shipped DIRECTORY        the one country database that packages come with, and its
#                                     version in country.version; fails without it
set -eu
package=@ip-location-db/geo-whois-asn-country-mmdb
shipped=2.3.2026061719
refresh=""
[ "${1:-}" = --refresh ] && { refresh=1; shift; }
if [ "${1:-}" = --shipped ]; then
	package=$package@$shipped refresh=1
	shift
else
	shipped=""
fi
dir=${1:-/var/lib/outergate/geo}
say() { echo "geo databases: $*" >&2; }

# Renamed over, so that an agent that runs sees the old or the new file, never a half.
country() {
	[ -e "$dir/country.mmdb" ] && [ -z "$refresh" ] && return
	command -v npm >/dev/null || { say "no country database: npm is not installed"; return; }
	tmp=$(mktemp -d)
	if mkdir -p "$dir" && (cd "$tmp" && timeout 120 npm pack --silent "$package" >/dev/null 2>&1 &&
		tar xzf ./*.tgz) && [ -s "$tmp/package/geo-whois-asn-country.mmdb" ]; then
		cp "$tmp/package/geo-whois-asn-country.mmdb" "$dir/.country.mmdb"
		chmod 0644 "$dir/.country.mmdb"
		mv "$dir/.country.mmdb" "$dir/country.mmdb"
		say "$dir/country.mmdb is new"
	else
		say "no country database: npm could not fetch $package into $dir"
	fi
	rm -rf "$tmp"
}

libloc() {
	[ -e /var/lib/location/database.db ] && [ -z "$refresh" ] && return
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || { say "no libloc database"; return; }
	DEBIAN_FRONTEND=noninteractive timeout 600 apt-get -q -o DPkg::Lock::Timeout=300 install -y \
		--no-install-recommends libloc-database >/dev/null 2>&1 ||
		say "no libloc database: apt-get could not install libloc-database"
}

if [ -n "$shipped" ]; then
	[ -e "$dir/country.mmdb" ] && [ "$(cat "$dir/country.version" 2>/dev/null)" = "$shipped" ] && exit
	rm -f "$dir/country.mmdb"
	country
	[ -e "$dir/country.mmdb" ] || exit 1
	echo "$shipped" >"$dir/country.version"
	exit
fi
country
libloc

#!/bin/sh
# The installer and the zip of outergate.exe: the same bytes from the same sources.
#   build.sh EXE CONFIGURATION GEO-DIRECTORY OUT-DIRECTORY
# GEO-DIRECTORY: what `tools/geo.sh --shipped` makes. Needs wixl, msitools, zip, faketime.
set -eu
cd "$(dirname "$0")/../.."
exe=$1 config=$2 geo=$3 out=$4
version=${PACKAGE_VERSION:-$(cat VERSION)} # another one in tests of upgrades
name=outergate-$version-x64
files=$out/$name
# The tools write the time of day.
stamp=$(deploy/epoch.sh)
at_the_time() { TZ=UTC faketime -f "$(date -u -d "@$stamp" '+%F %T')" "$@"; }
rm -rf "$files" "$out/$name.msi" "$out/$name.zip"
mkdir -p "$files/geo"
cp "$exe" "$files/outergate.exe"
at_the_time x86_64-w64-mingw32-strip -g "$files/outergate.exe"
cp "$geo/country.mmdb" "$files/geo/"
sed 's/$/\r/' "$config" >"$files/outergate.yaml"
sed 's/$/\r/' deploy/windows/README.txt >"$files/README.txt"
# A database is as new as its data: `service install` compares. All else is as new as the version.
touch -d "@$stamp" "$files" "$files/outergate.exe" "$files/outergate.yaml" "$files/README.txt"
touch -d "$(sed -E 's/.*\.([0-9]{4})([0-9]{2})([0-9]{2})[0-9]*$/\1-\2-\3 00:00 UTC/' "$geo/country.version")" \
	"$files/geo/country.mmdb" "$files/geo"

# What is installed under a product's code is one version; a package's code is its content's.
uuid() { python3 -c 'import sys, uuid; print(str(uuid.uuid5(uuid.UUID(sys.argv[1]), sys.argv[2])).upper())' \
	8C7D2F36-0B7E-4C5A-9D0E-6A4D0F1B2E77 "$1"; }
content=$(cat "$files/outergate.exe" "$files/geo/country.mmdb" deploy/windows/* | sha256sum | cut -d' ' -f1)
msi=$out/$name.msi
wxs=$PWD/deploy/windows/outergate.wxs
(cd "$out" && at_the_time wixl -a x64 -D Version="$version" -D Files="$name" \
	-D ProductCode="$(uuid "product $version")" -o "$name.msi" "$wxs")
# What wixl cannot say: the package's code; what undoes a failed installation; and that PURGE reaches
# the part that runs as SYSTEM.
at_the_time msibuild "$msi" -s "Installation Database" Outergate "x64;1033" "{$(uuid "package $content")}"
at_the_time msibuild "$msi" -q "UPDATE \`Property\` SET \`Value\`='PURGE;WIX_UPGRADE_DETECTED;WIX_DOWNGRADE_DETECTED' WHERE \`Property\`='SecureCustomProperties'"
at_the_time msibuild "$msi" -q "UPDATE \`CustomAction\` SET \`Type\`=3410 WHERE \`Action\`='UndoService'"
(cd "$out" && at_the_time zip -q -X -9 "$name.zip" "$name/outergate.exe" "$name/outergate.yaml" "$name/README.txt" \
	"$name/geo/country.mmdb")
ls -l "$msi" "$out/$name.zip"

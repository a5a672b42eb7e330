#!/bin/bash
# The container image and the manifests of deploy/kubernetes: rendered and checked offline, and run here with exactly
# the capabilities, mounts, limits and filter that they ask for, beside a real sshd that somebody logs in to.
#
#   tests/image/run.sh              everything but the second build (IMAGE_TWICE=1) that must give the same image
#   tests/image/run.sh plain map    the live cases whose name contains one of these words
# What cannot be had here is skipped and said. Ends with "N passed, N failed".
set -u
cd "$(dirname "$0")/../.." || exit 1
export BUILD=${BUILD:-build}
work=$(realpath -m "$BUILD/image.test")
log=$BUILD/log/image
mkdir -p "$log"
rm -rf "$work"
mkdir -p "$work/rendered"
passed=0 failed=0 skipped=0

step() { # NAME, STATUS [TEXT]
	if [ "$2" = 0 ]; then
		passed=$((passed + 1))
		echo "PASS $1"
	else
		failed=$((failed + 1))
		echo "FAIL $1"
		printf '    %s\n' "${3:-}" | head -40
	fi
}
skip() {
	skipped=$((skipped + 1))
	echo "SKIP $*"
}
count() { # LAST LINE of something that counts itself
	local p f k=0
	p=${1%% passed*} f=${1#*passed, } f=${f%% failed*}
	case $1 in *skipped*) k=${1##*failed, } k=${k%% skipped*} ;; esac
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + k))
}
end() {
	rm -rf "$work"
	[ "$skipped" = 0 ] && echo "$passed passed, $failed failed" || echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit
}

if ! sh tools/deps.sh image >"$log/deps.txt" 2>&1; then
	skip "image: what builds and opens images cannot be had: $(tail -1 "$log/deps.txt")"
	end
fi

# --- the manifests
style="{extends: default, rules: {line-length: {max: 120}, document-start: disable, comments-indentation: disable,
  comments: {min-spaces-from-content: 1}, indentation: {indent-sequences: whatever}}}"
said=$(yamllint -d "$style" deploy/kubernetes 2>&1)
step "yamllint" $? "$said"
if kubectl=$(bash tests/image/kubectl.sh "$BUILD/image.kubectl" 2>"$log/kubectl.txt"); then
	for o in plain openshift read-only-root; do
		said=$("$kubectl" kustomize "deploy/kubernetes/overlays/$o" 2>&1 >"$work/rendered/$o.yaml")
		step "kustomize $o" $? "$said"
		[ -z "$said" ] || step "kustomize $o says nothing" 1 "$said"
	done
	python3 -B tests/image/manifests.py "$work/rendered" | tee "$log/manifests.txt"
	count "$(tail -1 "$log/manifests.txt")"
else
	skip "image: no kubectl that can kustomize: $(tail -1 "$log/kubectl.txt"); nothing of the manifests is checked"
	end
fi

# --- the image
if ! MAKEFLAGS="" make BUILD="$BUILD" image >"$log/build.txt" 2>&1; then
	if grep -qE 'no country database|Unable to (fetch|locate)|Could not resolve' "$log/build.txt"; then
		skip "image: what it is built with cannot be had"
	else
		step "the image is built" 1 "$(tail -20 "$log/build.txt")"
	fi
	end
fi
step "the image is built" 0
archive=$BUILD/image/outergate-$(cat VERSION)-amd64.oci.tar
if [ -n "${IMAGE_TWICE:-}" ]; then
	digest=$(cat "$archive.digest")
	said=$(MAKEFLAGS="" make BUILD="$BUILD" image 2>&1 && cat "$archive.digest")
	[ "$(tail -1 <<<"$said")" = "$digest" ]
	step "two builds are the same image" $? "$digest $said"
fi
skopeo copy -q "oci-archive:$archive" "oci:$work/layout:og" && umoci unpack --image "$work/layout:og" "$work/bundle" \
	>"$log/unpack.txt" 2>&1
step "it is unpacked" $? "$(tail -5 "$log/unpack.txt")"
root=$work/bundle/rootfs
said=$(find "$root" -type f -perm /111 ! -name '*.so*' -printf '%P\n' | sort)
[ "$said" = "$(printf 'usr/bin/outergate\nusr/libexec/outergate/outergate-forward')" ]
step "it holds two programs: no shell, no package manager" $? "$said"
said=$(find "$root" \( -perm /6000 -o -perm -0002 ! -type l ! -path "$root/tmp" \) -printf '%P %m\n')
[ -z "$said" ]
step "no file of it changes its user, or is for anybody to write" $? "$said"
said=$(chroot "$root" /usr/bin/outergate check 2>&1 && ! chroot "$root" /usr/libexec/outergate/outergate-forward 2>&1 |
	grep -i 'shared librar' && chroot "$root" /usr/bin/outergate detections --format json 2>&1)
step "its programs find their libraries" $? "$said"
said=$(python3 -B - "$root" <<-'END'
	import json, os, re, subprocess, sys
	root = sys.argv[1]
	with open(root + "/usr/share/outergate/sbom.spdx.json") as f:
	    names = {p["name"] for p in json.load(f)["packages"]}
	docs = set(os.listdir(root + "/usr/share/doc"))
	for d in sorted((docs | names) - {"geo-whois-asn-country"}):
	    if d not in names or not os.path.getsize("%s/usr/share/doc/%s/copyright" % (root, d)):
	        print("of %s the SBOM or the licence is missing" % d)
	if len(names) < 20:
	    print("only", names)
	END
)
[ -z "$said" ]
step "SBOM and licences of all that is in it" $? "$said"

# --- run
IMAGE_BUNDLE=$root IMAGE_RENDERED=$work/rendered LIVE_CASES=tests/image PYTHONPATH=$PWD/tests/image:$PWD/tests/live \
	bash tests/live/run.sh "$@" 2>&1 | tee "$log/live.txt"
count "$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/live.txt" | tail -1)"
end

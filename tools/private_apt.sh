# A private apt below a directory, for scripts that source this: its own sources, lists and state, so that nothing
# is installed, started or listed on this machine, whose mirror it asks.
#
#   private_apt DIRECTORY SUITE TYPE...    TYPE: deb, deb-src. Exports APT_CONFIG; else says why not, and fails
# A release that this machine does not know is asked for where its own is.
private_apt() {
	local dir=$1 suite=$2 mirror signed=/usr/share/keyrings/debian-archive-keyring.gpg type
	shift 2
	# shellcheck disable=SC2016
	mirror=${PRIVATE_APT_MIRROR:-$(apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(RELEASE) $(REPO_URI)' |
		awk -v suite="$suite" '$1 != "Packages" { next } $3 == suite { own = own ? own : $4 }
			$2 == "Debian" && $3 == "bookworm" { other = other ? other : $4 } END { print own ? own : other }')}
	[ -n "$mirror" ] || { echo "no source of $suite in this machine's apt: it cannot be asked" >&2; return 1; }
	[ -e $signed ] || { echo "$signed is not there: install debian-archive-keyring" >&2; return 1; }
	mkdir -p "$dir/lists/partial" "$dir/archives/partial"
	for type in "$@"; do
		echo "$type [signed-by=$signed] $mirror $suite main"
	done > "$dir/sources.list"
	: > "$dir/status"
	cat > "$dir/conf" <<- END
		Dir::Etc::SourceList "$dir/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::State::Lists "$dir/lists";
		Dir::State::status "$dir/status";
		Dir::Cache "$dir";
		Dir::Cache::Archives "$dir/archives";
		APT::Sandbox::User "root";
		Acquire::Retries "3";
	END
	export APT_CONFIG=$dir/conf
}

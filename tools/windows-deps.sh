#!/bin/bash
# What outergate.exe is linked with: static libraries, cross-built from Debian's source packages,
# fetched by a private apt so that nothing is listed or started on this machine. Two minutes the first time;
# what is built stays, and a change of this file builds it anew.
#
#   windows-deps.sh        builds what is not there; the last line names the prefix
set -eu
cd "$(dirname "$0")/.."
cache=$(realpath -m "${BUILD:-build}")/windows
prefix=$cache/prefix host=x86_64-w64-mingw32 suite=bookworm
stamp=$prefix/complete-$(sha256sum "$0" | cut -c1-16)
if [ -e "$stamp" ]; then
	echo "$prefix"
	exit
fi
mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9
log=$cache/deps.log
: > "$log"
fail() {
	echo "windows-deps: $*; the log is $log" >&2
	tail -5 "$log" >&2
	exit 1
}

. tools/private_apt.sh
private_apt "$cache/apt" $suite deb-src 2>> "$log" || fail "the archive cannot be asked"
apt-get -qq update >> "$log" 2>&1 || fail "the archive cannot be asked"

work=$cache/work
rm -rf "$work" "$prefix"
mkdir -p "$work" "$prefix/lib" "$prefix/include"
cd "$work"
apt-get -qq source --only-source jansson sqlite3 libyaml libmaxminddb libmd cmocka libevtx pcre2 >> "$log" 2>&1 ||
	fail "the sources cannot be fetched"

cat > toolchain.cmake <<- END
	set(CMAKE_SYSTEM_NAME Windows)
	set(CMAKE_C_COMPILER $host-gcc)
	set(CMAKE_RC_COMPILER $host-windres)
	set(CMAKE_FIND_ROOT_PATH /usr/$host $prefix)
	set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
	set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
	set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
END
by_cmake() { # name, options
	local tree
	tree=$(find . -maxdepth 1 -type d -name "$1-*" | head -1)
	shift
	cmake -S "$tree" -B "$tree/built" -DCMAKE_TOOLCHAIN_FILE="$work/toolchain.cmake" \
		-DCMAKE_INSTALL_PREFIX="$prefix" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
		-DBUILD_TESTING=OFF "$@" >> "$log" 2>&1 && MAKEFLAGS= make -j2 -C "$tree/built" install >> "$log" 2>&1
}
by_cmake jansson -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON -DJANSSON_EXAMPLES=OFF || fail jansson
by_cmake libmaxminddb -DMAXMINDDB_BUILD_BINARIES=OFF || fail libmaxminddb
by_cmake libyaml || fail libyaml
by_cmake pcre2 -DPCRE2_BUILD_TESTS=OFF -DPCRE2_BUILD_PCRE2GREP=OFF -DPCRE2_SUPPORT_JIT=OFF || fail pcre2
by_cmake cmocka -DWITH_STATIC_LIB=ON -DUNIT_TESTING=OFF -DWITH_EXAMPLES=OFF || fail cmocka

# The amalgamation is made by tools of this machine, and compiled for the other.
(
	cd sqlite3-*
	./configure --disable-tcl --disable-readline && make sqlite3.c &&
		$host-gcc -O2 -DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION -c sqlite3.c -o w.o &&
		$host-ar rcs "$prefix/lib/libsqlite3.a" w.o && cp sqlite3.h "$prefix/include"
) >> "$log" 2>&1 || fail sqlite3

# Two sums of it are used; the rest wants a Unix.
(
	cd libmd-*
	: > config.h
	for f in md5 sha2; do
		$host-gcc -O2 -I. -Iinclude -c src/$f.c -o $f.w.o || exit 1
	done
	$host-ar rcs "$prefix/lib/libmd.a" md5.w.o sha2.w.o && cp include/md5.h include/sha2.h "$prefix/include"
) >> "$log" 2>&1 || fail libmd

# Its own copies of its libraries: Debian's package takes them apart. No autotools are needed when
# what they would make is newer than what it is made of.
(
	cd libevtx-*
	./configure --host=$host --disable-shared --enable-static --with-libbfio=no \
		--disable-multi-threading-support --disable-nls CFLAGS="-O2 -D_WIN32_WINNT=0x0601" || exit 1
	find . -name Makefile.in -o -name aclocal.m4 -o -name configure | xargs touch
	sleep 1
	find . -name Makefile -o -name config.status -o -name config.h -o -name stamp-h1 | xargs touch
	for d in libcerror libcthreads libcdata libclocale libcnotify libcsplit libuna libcfile libcpath \
		libbfio libfcache libfdata libfdatetime libfguid libfvalue libfwnt libfwevt libevtx; do
		MAKEFLAGS= make -j2 -C $d AUTOMAKE=: ACLOCAL=: AUTOCONF=: || exit 1
	done
	(
		echo "create $prefix/lib/libevtx.a"
		find . -name '*.a' | sed 's/^/addlib /'
		printf 'save\nend\n'
	) | $host-ar -M
	cp -r include/libevtx include/libevtx.h "$prefix/include"
) >> "$log" 2>&1 || fail libevtx

cd "$cache"
rm -rf "$work"
touch "$stamp"
echo "$prefix"
